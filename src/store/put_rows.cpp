#include "store/put_rows.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn {
namespace {

constexpr const char* incoming = "tarn_put_rows";

// "t.k = n.k and ..." of the key
std::string same_key(const Table& table) {
    std::string out;
    for (const auto& name : table.primary_key)
        out += fmt::format("{0}t.{1} = n.{1}", out.empty() ? "" : " and ", sql_name(name));
    return out;
}

// Loads the rows into a temporary table of text and casts them: a value that does not fit is told by its column.
Result<> load(duck::Connection& connection, const Table& table, const NewRows& rows) {
    std::vector<std::string> texts, casts;
    for (const auto& name : rows.columns) {
        texts.push_back(sql_name(name) + " varchar");
        casts.push_back(
            fmt::format("cast({0} as {1}) as {0}", sql_name(name), duck_type(*table.column(name))));
    }
    TARN_TRY(connection.run(
        fmt::format("create or replace temp table {}_text ({})", incoming, join(texts, ", "))));
    TARN_ASSIGN(auto appender, duck::Appender::open(connection, std::string(incoming) + "_text"));
    for (const auto& row : rows.rows) {
        for (const auto& value : row) {
            if (value) {
                appender->text(*value);
            } else {
                appender->null();
            }
        }
        TARN_TRY(appender->end_row());
    }
    TARN_TRY(appender->close());
    // Looked for, not tried: an error would end the job's transaction without telling the column.
    for (const auto& name : rows.columns) {
        TARN_ASSIGN(auto wrong, connection.value(fmt::format(
                                    "select left({0}, 60) from {1}_text where {0} is not null and "
                                    "try_cast({0} as {2}) is null limit 1",
                                    sql_name(name), incoming, duck_type(*table.column(name)))));
        if (wrong)
            return fail(ErrorKind::bad_data,
                        "'" + *wrong + "' is no " + lower(duck_type(*table.column(name))), name);
    }
    TARN_TRY(connection.run(
        fmt::format("create or replace temp table {0} as select {1} from {0}_text; drop table {0}_text",
                    incoming, join(casts, ", "))));
    return {};
}

Result<> add(duck::Connection& connection, const Table& table, const NewRows& rows, Millis stamp,
             const std::string& condition) {
    std::vector<std::string> columns, values;
    for (const auto& name : rows.columns) {
        columns.push_back(sql_name(name));
        values.push_back("n." + sql_name(name));
    }
    for (const auto* name : {"created_at", "updated_at"}) {
        if (table.column(name) == nullptr || contains(rows.columns, name)) continue;
        columns.emplace_back(name);
        values.push_back(fmt::format("timestamp '{}'", format_sql(stamp)));
    }
    TARN_TRY(connection.run(fmt::format("insert into {} ({}) select {} from {} n{}", sql_name(table.name),
                                        join(columns, ", "), join(values, ", "), incoming, condition)));
    return {};
}

Result<> change(duck::Connection& connection, const Table& table, const NewRows& rows, Millis stamp) {
    std::vector<std::string> sets, differs;
    for (const auto& name : rows.columns) {
        if (contains(table.primary_key, name)) continue;
        sets.push_back(fmt::format("{0} = n.{0}", sql_name(name)));
        differs.push_back(fmt::format("t.{0} is distinct from n.{0}", sql_name(name)));
    }
    if (sets.empty()) return {};
    if (table.has_times()) sets.push_back(fmt::format("updated_at = timestamp '{}'", format_sql(stamp)));
    TARN_TRY(
        connection.run(fmt::format("update {} t set {} from {} n where {} and ({})", sql_name(table.name),
                                   join(sets, ", "), incoming, same_key(table), join(differs, " or "))));
    return {};
}

Result<> drop(duck::Connection& connection) {
    TARN_TRY(connection.run(fmt::format("drop table {}", incoming)));
    return {};
}

}  // namespace

Result<> upsert_rows(duck::Connection& connection, const Table& table, const NewRows& rows, Millis stamp) {
    TARN_TRY(load(connection, table, rows));
    std::vector<std::string> key;
    for (const auto& name : table.primary_key) key.push_back(sql_name(name));
    TARN_TRY(connection.run(
        fmt::format("delete from {0} where rowid not in (select max(rowid) from {0} group by {1})", incoming,
                    join(key, ", "))));
    TARN_TRY(change(connection, table, rows, stamp));
    TARN_TRY(add(connection, table, rows, stamp,
                 fmt::format(" where not exists (select 1 from {} t where {})", sql_name(table.name),
                             same_key(table))));
    return drop(connection);
}

Result<> insert_rows(duck::Connection& connection, const Table& table, const NewRows& rows, Millis stamp) {
    TARN_TRY(load(connection, table, rows));
    for (const auto& column : table.columns) {
        bool must = column.not_null && !column.auto_increment && column.name != "created_at" &&
                    column.name != "updated_at";
        if (!must) continue;
        if (!contains(rows.columns, column.name))
            return fail(ErrorKind::bad_data, "must be set", column.name);
        TARN_ASSIGN(auto missing, connection.number(fmt::format("select count(*) from {} where {} is null",
                                                                incoming, sql_name(column.name))));
        if (missing > 0) return fail(ErrorKind::bad_data, "must be set", column.name);
    }
    bool keyed = !table.primary_key.empty() && std::ranges::all_of(table.primary_key, [&](const auto& name) {
        return contains(rows.columns, name);
    });
    if (keyed) {
        std::vector<std::string> key;
        for (const auto& name : table.primary_key) key.push_back(sql_name(name));
        auto of_key = join(key, ", ");
        TARN_ASSIGN(auto known,
                    connection.number(fmt::format(
                        "select (select count(*) from {0} n where exists (select 1 from {1} t where "
                        "{2})) + (select count(*) - count(distinct ({3})) from {0})",
                        incoming, sql_name(table.name), same_key(table), of_key)));
        if (known > 0)
            return fail(ErrorKind::bad_data, fmt::format("{} row(s) have a duplicate key", known), of_key);
    }
    TARN_TRY(add(connection, table, rows, stamp, ""));
    return drop(connection);
}

}  // namespace tarn
