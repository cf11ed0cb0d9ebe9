#include "store/server/home.h"

#include "store/raw.h"
#include "store/server/connection.h"
#include "store/server/write_through.h"

namespace tarn::server {

ServerHome::ServerHome() = default;
ServerHome::~ServerHome() = default;

Result<std::unique_ptr<ServerHome>> ServerHome::open(const DbUrl& url) {
    TARN_ASSIGN(auto connection, connect(url));
    std::unique_ptr<ServerHome> home(new ServerHome());
    home->write_through_ = std::make_unique<WriteThrough>(std::move(connection));
    TARN_TRY(home->write_through_->hold());
    return home;
}

Result<> ServerHome::attach(DataFile& data, ControlStore& control, const Schema& schema,
                            const std::map<std::string, std::vector<Column>>& more) {
    TARN_ASSIGN(bool whole, write_through_->attach(data, schema, more));
    if (!whole) return {};
    // Rows that models added to mirrors of control tables were in the old file alone: a full pass makes them again.
    TARN_TRY(control.run("delete from _tarn_model_states"));
    return forget_unfinished(data);
}

}  // namespace tarn::server
