// PostgreSQL through libpq (store/server/connection.h says what is promised).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/server/connection.h"

namespace tarn::postgres {

Result<std::unique_ptr<server::Connection>> connect(const server::DbUrl& url);

// What an SQLSTATE means.
ErrorKind kind_of(std::string_view state);
// `?` outside of quotes and comments becomes $1, $2, ...
std::string numbered(std::string_view sql);

}  // namespace tarn::postgres
