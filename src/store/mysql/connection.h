// MySQL 8 and MariaDB 10.11 through libmariadb (store/server/connection.h says what is promised).
#pragma once

#include <memory>

#include "base/result.h"
#include "store/server/connection.h"

namespace tarn::mysql {

Result<std::unique_ptr<server::Connection>> connect(const server::DbUrl& url);

// What an error number of the server or the client library means.
ErrorKind kind_of(unsigned int number);

}  // namespace tarn::mysql
