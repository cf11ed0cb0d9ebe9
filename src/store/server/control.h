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

// Portable SQL with `on conflict (...) do update set a = excluded.a` or `do nothing`, as MySQL writes it.
std::string mysql_upsert(const std::string& sql);

}  // namespace tarn::server
