#include "store/server/home.h"

#include "store/server/connection.h"
#include "store/server/write_through.h"

namespace tarn::server {
namespace {

// Collections that were under way lost what they had seen with the old file: they start anew, with the parents they had finished.
Result<> forget_unfinished(DataFile& data) {
    return data.write([](duck::Connection& connection) -> Result<> {
        TARN_TRY(connection.run("delete from _tarn_inputs where pass_id in (select id from _tarn_passes)"));
        TARN_TRY(connection.run("delete from _tarn_passes"));
        return {};
    });
}

}  // namespace

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
