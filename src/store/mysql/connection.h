// MySQL 8 and MariaDB 10.11 through libmariadb (store/server/connection.h says what is promised).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/server/connection.h"

namespace tarn::mysql {

Result<std::unique_ptr<server::Connection>> connect(const server::DbUrl& url);

// Rows as bytes, so that no set of letters changes them. `json`: columns of MySQL's own type, which takes none that are bytes; MariaDB has no such
// type.
std::string load_statement(const std::string& table, const std::vector<std::string>& columns,
                           const std::set<std::string>& json);

// What an error number of the server or the client library means.
ErrorKind kind_of(unsigned int number);

}  // namespace tarn::mysql
