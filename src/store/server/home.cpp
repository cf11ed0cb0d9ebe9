#include "store/server/home.h"

#include "store/server/connection.h"
#include "store/server/write_through.h"

namespace tarn::server {

ServerHome::ServerHome() = default;
ServerHome::~ServerHome() = default;

Result<std::unique_ptr<ServerHome>> ServerHome::open(const DbUrl& url) {
    TARN_ASSIGN(auto connection, connect(url));
    std::unique_ptr<ServerHome> home(new ServerHome());
    home->write_through_ = std::make_unique<WriteThrough>(std::move(connection));
    TARN_TRY(home->write_through_->lock());
    return home;
}

Result<> ServerHome::attach(DataFile& data, const Schema& schema, const MoreColumns& more,
                            const ProcessId& process) {
    return write_through_->attach(data, schema, more, process);
}

}  // namespace tarn::server
