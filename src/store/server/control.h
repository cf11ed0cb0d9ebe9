// The control store in a database server (store/control.h says what is promised).
//
// Besides what that promises: transient where the connection is lost; it is made anew at the next call. A statement whose outcome a lost connection leaves unknown
// is not repeated. Times and booleans are text and 0 or 1 as in SQLite; texts lose NUL on PostgreSQL, which has none.
#pragma once

#include <memory>

#include "base/result.h"
#include "store/control.h"
#include "store/server/db_url.h"

namespace tarn::server {

Result<std::unique_ptr<ControlStore>> open_control(const DbUrl& url);

// For a store that several processes share: the server ends a transaction in which nothing is said for `lease`, and 5 s at least. One whose process
// was stopped in the middle of it would keep the others waiting. MySQL 8 itself, other than MariaDB, has no such setting.
DbUrl ending_frozen_transactions(DbUrl url, Millis lease);

// Portable SQL with `on conflict (...) do update set a = excluded.a` or `do nothing`, as MySQL writes it.
std::string mysql_upsert(const std::string& sql);

}  // namespace tarn::server
