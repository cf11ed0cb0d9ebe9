#include "store/raw.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "store/raw_merge.h"

namespace tarn {
namespace {

constexpr const char* gone_rows = "tarn_raw_gone";
constexpr const char* pass_sequence = "_tarn_passes";

std::string quoted_list(const std::vector<std::string>& values) {
    std::string out;
    for (const auto& value : values) out += (out.empty() ? "" : ", ") + sql_text(valid_utf8(value));
    return out;
}

using TextRows = std::map<std::string, std::vector<std::string>>;

// Rows r of texts, the key first. A page of work ends hundreds of inputs, and DuckDB plans values one by one: of one JSON text it does not.
std::string select_of(const TextRows& rows) {
    auto list = nlohmann::json::array();
    for (const auto& [key, texts] : rows) {
        list.push_back({valid_utf8(key)});
        for (const auto& text : texts) list.back().push_back(valid_utf8(text));
    }
    return "(select unnest(from_json(" + sql_text(list.dump()) + ", '[[\"VARCHAR\"]]')) as r)";
}

Result<> replace(duck::Connection& connection, const std::string& table, const std::string& scope,
                 const std::string& insert, const TextRows& rows) {
    if (rows.empty()) return {};
    auto from = " from " + select_of(rows);
    TARN_TRY(connection.run("delete from " + table + " where " + scope + " and input_key in (select r[1]" +
                            from + ")"));
    TARN_TRY(connection.run("insert into " + table + " " + insert + from));
    return {};
}

std::string time_literal(Millis millis) { return fmt::format("timestamp '{}'", format_sql(millis)); }

}  // namespace

std::string RawPass::scope() const {
    return fmt::format("stream = {} and params = {}", sql_text(stream_), sql_text(params_));
}

Result<RawPass> RawPass::open(DataFile& data, ControlStore& control, const std::string& stream,
                              const std::string& raw_table, const std::string& params,
                              const std::string& fingerprint, Millis now) {
    RawPass pass(data, control);
    pass.stream_ = stream;
    pass.raw_table_ = raw_table;
    pass.params_ = params;
    auto job = [&](duck::Connection& connection) -> Result<> {
        TARN_TRY(connection.run(duck_ddl(Schema::raw_table(raw_table))));
        TARN_TRY(raise_sequence(connection, raw_table));
        return pass.begin(connection, fingerprint, now);
    };
    TARN_TRY(data.write(job));
    return pass;
}

Result<> RawPass::begin(duck::Connection& connection, const std::string& fingerprint, Millis now) {
    TARN_ASSIGN(auto found, connection.query(fmt::format(
                                "select id, epoch_ms(started_at), fingerprint, coalesce(data_file, 0) = {} "
                                "from _tarn_passes where {}",
                                data_file_number, scope())));
    for (const auto& row : found.rows) {
        pass_id_ = std::stoll(*row[0]);
        if (row[2] == fingerprint && row[3] == "true") {
            started_at_ = std::stoll(*row[1]);
            return resume(connection);
        }
        // What it saw below the parents it finished was not compared with what was there, so these are to be read again.
        TARN_TRY(connection.run(
            fmt::format("delete from _tarn_inputs where pass_id = {} and {}", pass_id_, scope())));
        TARN_TRY(forget(connection));
    }
    TARN_ASSIGN(pass_id_, take_ids(connection, pass_sequence, 1));
    started_at_ = now;
    TARN_TRY(
        connection.run(fmt::format("insert into _tarn_passes (id, stream, params, fingerprint, started_at, "
                                   "data_file) values ({}, {}, {}, "
                                   "{}, {}, {})",
                                   pass_id_, sql_text(stream_), sql_text(params_), sql_text(fingerprint),
                                   time_literal(now), data_file_number)));
    return {};
}

Result<> RawPass::resume(duck::Connection& connection) {
    resumed_ = true;
    return connection.each(
        fmt::format("select input_key, position, done from _tarn_check_points where pass_id = {}", pass_id_),
        [&](const std::vector<duck::Text>& row) {
            check_points_[*row[0]] = CheckPoint{*row[0], row[1].value_or(""), row[2] == "true"};
        });
}

Result<> RawPass::forget(duck::Connection& connection) const {
    TARN_TRY(connection.run(fmt::format(
        "delete from _tarn_seen where pass_id = {0}; delete from _tarn_check_points where pass_id = {0}; "
        "delete from _tarn_passes where id = {0}",
        pass_id_)));
    return {};
}

Result<std::map<std::string, InputState>> RawPass::inputs() {
    TARN_ASSIGN(auto connection, data_->reader());
    std::map<std::string, InputState> out;
    TARN_TRY(connection->each(
        "select input_key, version, epoch_ms(collected_at) from _tarn_inputs where " + scope(),
        [&](const std::vector<duck::Text>& row) {
            out[*row[0]] = InputState{row[1].value_or(""), row[2] ? std::stoll(*row[2]) : 0};
        }));
    return out;
}

Result<> RawPass::write(const std::vector<RawItem>& items, const std::vector<CheckPoint>& points,
                        const std::map<std::string, InputState>& finished) {
    RawMerge merge(raw_table_, params_, pass_id_, items);
    auto job = [&](duck::Connection& connection) -> Result<> {
        TARN_TRY(merge.run(connection, *control_));
        return remember(connection, points, finished);
    };
    TARN_TRY(data_->write(job));
    counts_.seen += merge.counts().seen;
    counts_.added += merge.counts().added;
    counts_.changed += merge.counts().changed;
    counts_.equal += merge.counts().equal;
    for (const auto& point : points) check_points_[point.input_key] = point;
    return {};
}

Result<> RawPass::remember(duck::Connection& connection, const std::vector<CheckPoint>& points,
                           const std::map<std::string, InputState>& finished) const {
    TextRows rows;
    for (const auto& point : points) rows[point.input_key] = {point.position, point.done ? "true" : "false"};
    TARN_TRY(replace(
        connection, "_tarn_check_points", fmt::format("pass_id = {}", pass_id_),
        fmt::format("(pass_id, input_key, position, done) select {}, r[1], r[2], r[3]::boolean", pass_id_),
        rows));
    rows.clear();
    for (const auto& [key, state] : finished) rows[key] = {state.version, std::to_string(state.collected_at)};
    return replace(
        connection, "_tarn_inputs", scope(),
        fmt::format("(stream, params, input_key, version, collected_at, pass_id) select {}, {}, r[1], r[2], "
                    "epoch_ms(r[3]::bigint), {}",
                    sql_text(stream_), sql_text(params_), pass_id_),
        rows);
}

Result<RawCounts> RawPass::finish(bool complete) {
    RawCounts counts = counts_;
    auto job = [&](duck::Connection& connection) -> Result<> {
        std::string condition = fmt::format(
            "not exists (select 1 from _tarn_seen s where s.pass_id = {} and s.raw_id = r.id)", pass_id_);
        if (!complete) {
            condition +=
                fmt::format(" and {} in (select input_key from _tarn_inputs where pass_id = {} and {})",
                            input_key_of("r"), pass_id_, scope());
        }
        TARN_ASSIGN(auto gone, remove(connection, condition));
        counts.gone += gone;
        if (complete)
            TARN_TRY(connection.run(
                fmt::format("delete from _tarn_inputs where pass_id <> {} and {}", pass_id_, scope())));
        return forget(connection);
    };
    TARN_TRY(data_->write(job));
    counts_ = counts;
    return counts;
}

Result<std::int64_t> RawPass::forget_inputs(const std::vector<std::string>& input_keys) {
    std::int64_t gone = 0;
    if (input_keys.empty()) return gone;
    auto list = quoted_list(input_keys);
    auto job = [&](duck::Connection& connection) -> Result<> {
        TARN_ASSIGN(gone, remove(connection, fmt::format("{} in ({})", input_key_of("r"), list)));
        TARN_TRY(connection.run(
            fmt::format("delete from _tarn_inputs where {} and input_key in ({})", scope(), list)));
        return {};
    };
    TARN_TRY(data_->write(job));
    counts_.gone += gone;
    return gone;
}

// Deletes our rows r of this scope for which `condition` holds and puts them down as gone.
Result<std::int64_t> RawPass::remove(duck::Connection& connection, const std::string& condition) const {
    auto table = sql_name(raw_table_);
    auto params = sql_text(params_);
    TARN_TRY(connection.run(
        fmt::format("create or replace temp table {} as select r.id, r._tarn_item as item from {} r "
                    "where r.params = {} and r._tarn_item is not null and {}",
                    gone_rows, table, params, condition)));
    TARN_ASSIGN(auto count, connection.number(fmt::format("select count(*) from {}", gone_rows)));
    if (count > 0) {
        TARN_ASSIGN(auto stamp, control_->next_stamp());
        TARN_TRY(connection.run(
            fmt::format("insert into _tarn_gone (table_name, params, raw_table, raw_id, key, stamp) "
                        "select {0}, {1}, {0}, id, item, {2} from {3}",
                        sql_text(raw_table_), params, time_literal(stamp), gone_rows)));
        TARN_TRY(
            connection.run(fmt::format("delete from {} where id in (select id from {})", table, gone_rows)));
        // Rows that other scopes' copies of the item make, too, may have gone with it: those copies count as changed.
        TARN_TRY(connection.run(fmt::format(
            "update {} set _tarn_changed = {} where params <> {} and _tarn_item in (select item from {})",
            table, time_literal(stamp), params, gone_rows)));
        TARN_TRY(connection.run(
            fmt::format("delete from _tarn_rejects where raw_table = {} and raw_id in (select id from {})",
                        sql_text(raw_table_), gone_rows)));
    }
    TARN_TRY(connection.run(fmt::format("drop table {}", gone_rows)));
    return count;
}

Result<> forget_unfinished(DataFile& data) {
    return data.write([](duck::Connection& connection) -> Result<> {
        TARN_TRY(connection.run("delete from _tarn_inputs where pass_id in (select id from _tarn_passes)"));
        TARN_TRY(connection.run("delete from _tarn_passes"));
        return {};
    });
}

}  // namespace tarn
