#include "store/mirror.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tarn {
namespace {

constexpr const char* incoming = "tarn_mirror_rows";

std::vector<const Column*> mirrored_columns(const Table& table) {
    std::vector<const Column*> out;
    for (const auto& column : table.columns) {
        if (!column.secret) out.push_back(&column);
    }
    return out;
}

// Conditions that pair a row of `left` with an equal one of `right`.
std::string equal_rows(const std::vector<const Column*>& columns, const std::string& left,
                       const std::string& right) {
    std::string out = "true";
    for (const Column* column : columns) {
        if (column->name == "created_at" || column->name == "updated_at") continue;
        auto name = sql_name(column->name);
        out += fmt::format(" and {}.{} is not distinct from {}.{}", left, name, right, name);
    }
    return out;
}

// Rows that a model made of raw rows (jobs below a scope) stay, unless the control store has the key itself.
std::string made_by_models(const Table& table, const std::string& row, const std::string& control_row) {
    if (!table.has_origin()) return "false";
    std::string same_key = "true";
    for (const auto& column : table.primary_key)
        same_key += fmt::format(" and {0}.{2} = {1}.{2}", row, control_row, sql_name(column));
    return fmt::format("coalesce({}._raw_data_id, 0) <> 0 and not exists (select 1 from {} {} where {})", row,
                       incoming, control_row, same_key);
}

Result<> load(duck::Connection& connection, const std::vector<const Column*>& columns,
              const ControlRows& rows) {
    std::vector<std::string> declared;
    declared.reserve(columns.size());
    for (const Column* column : columns)
        declared.push_back(sql_name(column->name) + " " + duck_type(*column));
    TARN_TRY(
        connection.run(fmt::format("create or replace temp table {} ({})", incoming, join(declared, ", "))));
    TARN_ASSIGN(auto appender, duck::Appender::open(connection, incoming));
    for (std::size_t r = 0; r < rows.rows.size(); ++r) {
        for (const Column* column : columns) {
            if (rows.is_null(r, column->name)) {
                appender->null();
            } else {
                appender->text(rows.text(r, column->name));
            }
        }
        TARN_TRY(appender->end_row());
    }
    return appender->close();
}

}  // namespace

// Read by the job, so that of two calls the later one has the newer rows.
Result<> mirror_within(duck::Connection& connection, ControlStore& control, const Table& table) {
    auto columns = mirrored_columns(table);
    std::vector<std::string> names;
    names.reserve(columns.size());
    for (const Column* column : columns) names.push_back(sql_name(column->name));
    auto list = join(names, ", ");
    auto mirror = sql_name(table.name);
    auto equal = equal_rows(columns, "m", "i");
    auto made = made_by_models(table, "m", "i");
    TARN_ASSIGN(auto rows, control.query(fmt::format("select {} from {}", list, mirror)));
    TARN_TRY(load(connection, columns, rows));
    TARN_TRY(connection.run(
        fmt::format("delete from {} m where not exists (select 1 from {} i where {}) and not ({})", mirror,
                    incoming, equal, made)));
    TARN_TRY(connection.run(
        fmt::format("delete from {} i where exists (select 1 from {} m where {})", incoming, mirror, equal)));
    TARN_ASSIGN(auto different, connection.number(fmt::format("select count(*) from {}", incoming)));
    if (different > 0 && table.has_times()) {
        TARN_ASSIGN(auto stamp, control.next_stamp());
        TARN_TRY(connection.run(
            fmt::format("update {} set updated_at = timestamp '{}'", incoming, format_sql(stamp))));
    }
    TARN_TRY(connection.run(fmt::format("insert into {} ({}) select * from {}; drop table {}", mirror, list,
                                        incoming, incoming)));
    return {};
}

Result<> mirror_control(DataFile& data, ControlStore& control, const Table& table) {
    return data.write(
        [&](duck::Connection& connection) { return mirror_within(connection, control, table); });
}

}  // namespace tarn
