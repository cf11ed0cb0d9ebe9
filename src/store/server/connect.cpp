#include "store/mysql/connection.h"
#include "store/postgres/connection.h"
#include "store/server/connection.h"

namespace tarn::server {

Result<std::unique_ptr<Connection>> connect(const DbUrl& url) {
    return url.engine == Engine::mysql ? mysql::connect(url) : postgres::connect(url);
}

}  // namespace tarn::server
