#include "run/scope_data.h"

#include <set>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "store/gone.h"

namespace tarn::run {
namespace {

struct Deletion {
    const Table* table = nullptr;
    std::string condition;
};

std::set<std::string> raw_tables(const connector::Connector& connector) {
    std::set<std::string> names;
    for (const auto& stream : connector.streams) names.insert(stream.raw);
    for (const auto& [name, shape] : connector.raw) names.insert(name);
    return names;
}

// Tables of the connector itself, and every domain table, by the origin of their rows.
std::vector<Deletion> deletions(const Platform& platform, const connector::Connector& connector,
                                const std::string& params, bool last_scope) {
    std::vector<Deletion> out;
    auto raw = raw_tables(connector);
    // The origin that a scope's own row gives to what is made of it.
    std::vector<std::string> listed = {sql_text("_raw_" + connector.name + "_scopes")};
    for (const auto& name : raw) {
        listed.push_back(sql_text(name));
        if (const Table* table = platform.schema().table(name))
            out.push_back({table, "params = " + sql_text(params)});
    }
    auto origin = fmt::format("_raw_data_params = {} and _raw_data_table in ({})", sql_text(params),
                              join(listed, ", "));
    for (const auto& [name, table] : platform.schema().tables()) {
        bool kept = table.control || !table.has_origin() || (table.shared && !last_scope);
        if (!kept) out.push_back({&table, origin});
    }
    return out;
}

Result<> delete_rows(duck::Connection& connection, const Deletion& deletion, const std::string& stamp) {
    const Table& table = *deletion.table;
    auto name = sql_name(table.name);
    TARN_ASSIGN(auto count,
                connection.number(fmt::format("select count(*) from {} where {}", name, deletion.condition)));
    if (count == 0) return {};
    if (table.has_origin() && !table.primary_key.empty())
        TARN_TRY(connection.run(insert_gone(table, deletion.condition, stamp)));
    TARN_TRY(connection.run(fmt::format("delete from {} where {}", name, deletion.condition)));
    return {};
}

// What collections of the scope remember. connector/collect names a stream by its connector and itself.
Result<> delete_states(duck::Connection& connection, const connector::Connector& connector,
                       const std::string& params) {
    std::vector<std::string> streams = {"''"}, raw = {"''"};
    for (const auto& stream : connector.streams)
        streams.push_back(sql_text(connector.name + "." + stream.name));
    for (const auto& name : raw_tables(connector)) raw.push_back(sql_text(name));
    auto of_streams = fmt::format("params = {} and stream in ({})", sql_text(params), join(streams, ", "));
    auto of_raw = fmt::format("params = {} and raw_table in ({})", sql_text(params), join(raw, ", "));
    auto passes = "pass_id in (select id from _tarn_passes where " + of_streams + ")";
    for (const auto& [table, condition] :
         std::vector<std::pair<std::string, std::string>>{{"_tarn_check_points", passes},
                                                          {"_tarn_seen", passes},
                                                          {"_tarn_passes", of_streams},
                                                          {"_tarn_inputs", of_streams},
                                                          {"_tarn_pages", of_raw},
                                                          {"_tarn_rejects", of_raw}}) {
        TARN_TRY(connection.run(fmt::format("delete from {} where {}", table, condition)));
    }
    return {};
}

}  // namespace

Result<> delete_scope_data(const Home& home, const Platform& platform, const LoadedConnector& connector,
                           const std::string& params, bool last_scope) {
    auto& control = home.control();
    const auto& declared = connector.connector;
    TARN_TRY(home.data().write([&](duck::Connection& connection) -> Result<> {
        TARN_ASSIGN(auto stamp, control.next_stamp());
        for (const auto& deletion : deletions(platform, declared, params, last_scope))
            TARN_TRY(delete_rows(connection, deletion, "timestamp '" + format_sql(stamp) + "'"));
        return delete_states(connection, declared, params);
    }));
    // After the rows: a crash between them costs a full reading, never rows that nobody reads again.
    for (const auto& raw : raw_tables(declared)) {
        TARN_TRY(control.run(
            "delete from _devlake_collector_latest_state where raw_data_params = ? and raw_data_table = ?",
            {params, raw}));
    }
    for (const auto& model : connector.models.models()) {
        TARN_TRY(
            control.run("delete from _tarn_model_states where (model = ? or model like ?) and params = ?",
                        {model.id, model.id + "#%", params}));
    }
    return {};
}

}  // namespace tarn::run
