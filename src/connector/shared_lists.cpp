#include "connector/shared_lists.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "connector/stored_items.h"

namespace tarn::connector {
namespace {

// The connection's id in a params text, as JSON text.
std::string connection_of(const Connector& connector, const std::string& params) {
    auto json = nlohmann::json::parse(params, nullptr, false);
    if (!json.is_object()) return {};
    for (const auto& [key, option] : connector.scope.params) {
        if (option == "connectionId" && json.contains(key)) return json[key].dump();
    }
    return {};
}

}  // namespace

Result<SharedReading> latest_reading(const Connector& connector, const Stream& stream,
                                     const std::string& params, ControlStore& control) {
    TARN_ASSIGN(auto rows, control.query("select raw_data_params, latest_success_start from "
                                         "_devlake_collector_latest_state where raw_data_table = ? and "
                                         "latest_success_start > ?",
                                         {stream.raw, format_sql(now_millis() - stream.shared)}));
    std::string connection = connection_of(connector, params);
    SharedReading latest;
    Millis own = 0;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        std::string reader = rows.text(i, "raw_data_params");
        Millis started = 0;
        if (connection_of(connector, reader) != connection ||
            parse_time(rows.text(i, "latest_success_start"), started) != Parsed::ok)
            continue;
        if (reader == params) {
            own = started;
        } else if (started > latest.started) {
            latest = {reader, started};
        }
    }
    return latest.started > own ? latest : SharedReading{};
}

Result<std::int64_t> take_over(const SharedReading& reading, const Stream& stream, RawPass& pass,
                               DataFile& data) {
    constexpr std::size_t most = 2000;
    TARN_ASSIGN(auto items, all_items(data, {stream.raw, reading.params}));
    for (std::size_t at = 0; at < items.size(); at += most) {
        auto end = items.begin() + static_cast<std::ptrdiff_t>(std::min(items.size(), at + most));
        TARN_TRY(pass.write({items.begin() + static_cast<std::ptrdiff_t>(at), end}, {}, {}));
    }
    return static_cast<std::int64_t>(items.size());
}

Result<std::map<std::string, SharedParent>> shared_parents(const Connector& connector, const Stream& stream,
                                                           const std::string& stream_name,
                                                           const std::string& params, DataFile& data) {
    std::map<std::string, SharedParent> found;
    std::string connection = connection_of(connector, params);
    TARN_ASSIGN(auto reader, data.reader());
    TARN_TRY(reader->each(
        "select input_key, params, version, epoch_ms(collected_at) from _tarn_inputs o where stream = " +
            sql_text(stream_name) + " and params <> " + sql_text(params) + " and collected_at > timestamp '" +
            format_sql(now_millis() - stream.shared) +
            "' and not exists (select 1 from _tarn_inputs own where own.stream = o.stream and own.params = " +
            sql_text(params) +
            " and own.input_key = o.input_key and own.collected_at >= o.collected_at) order by collected_at",
        [&](const std::vector<duck::Text>& row) {
            if (connection_of(connector, *row[1]) != connection) return;
            found[*row[0]] = {*row[1], {row[2].value_or(""), std::stoll(row[3].value_or("0"))}};
        }));
    return found;
}

Result<> take_over(const std::string& input, const SharedParent& reading, const Stream& stream, RawPass& pass,
                   DataFile& data) {
    TARN_ASSIGN(auto items, stored_below(data, {stream.raw, reading.params}, {input}));
    return pass.write(items, {}, {{input, reading.state}});
}

}  // namespace tarn::connector
