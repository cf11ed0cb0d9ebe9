#include "store/mysql/connection.h"
#include "store/postgres/connection.h"
#include "store/server/connection.h"

namespace tarn::server {

Result<> in_transaction(Connection& connection, const std::function<Result<>()>& work) {
    TARN_TRY(connection.begin());
    if (auto done = work(); !done) {
        connection.rollback();
        return done;
    }
    return connection.commit();
}

Result<std::unique_ptr<Connection>> connect(const DbUrl& url) {
    return url.engine == Engine::mysql ? mysql::connect(url) : postgres::connect(url);
}

}  // namespace tarn::server
