#include "store/server/ddl.h"

#include <xxhash.h>

#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn::server {
namespace {

constexpr std::size_t longest_name = 63;
// Of a text in an index of MySQL, which has none over whole texts.
constexpr int indexed_characters = 191;

std::string mysql_type(const Column& column) {
    switch (column.type) {
        case ColumnType::varchar: return fmt::format("varchar({})", column.length);
        case ColumnType::text: return "longtext";
        case ColumnType::bigint: return "bigint";
        case ColumnType::ubigint: return "bigint unsigned";
        case ColumnType::integer: return "int";
        case ColumnType::smallint: return "smallint";
        case ColumnType::real8: return "double";
        case ColumnType::real4: return "float";
        case ColumnType::boolean: return "tinyint(1)";
        case ColumnType::datetime: return "datetime(3)";
        case ColumnType::date: return "date";
        case ColumnType::json: return "json";
        default: return "longblob";
    }
}

std::string postgres_type(const Column& column) {
    switch (column.type) {
        case ColumnType::varchar: return fmt::format("varchar({})", column.length);
        case ColumnType::text: return "text";
        case ColumnType::bigint:
        case ColumnType::ubigint: return "bigint";
        case ColumnType::integer: return "integer";
        case ColumnType::smallint: return "smallint";
        case ColumnType::real8: return "numeric";
        case ColumnType::real4: return "real";
        case ColumnType::boolean: return "boolean";
        case ColumnType::datetime: return "timestamptz";
        case ColumnType::date: return "date";
        case ColumnType::json: return "json";
        default: return "bytea";
    }
}

std::string column_ddl(const Column& column, Engine engine) {
    auto name = sql_name(column.name) + " ";
    if (column.auto_increment) {
        return name + (engine == Engine::mysql ? column_type(column, engine) + " not null auto_increment"
                                               : "bigserial not null");
    }
    return name + column_type(column, engine) + (column.not_null ? " not null" : "");
}

std::string indexed(const Table& table, const std::vector<std::string>& names, Engine engine) {
    std::vector<std::string> out;
    for (const auto& name : names) {
        const Column* column = table.column(name);
        bool is_long =
            column != nullptr && (column->type == ColumnType::text || column->type == ColumnType::json ||
                                  column->type == ColumnType::payload || column->type == ColumnType::blob);
        out.push_back(sql_name(name) + (is_long && engine == Engine::mysql
                                            ? fmt::format("({})", indexed_characters)
                                            : std::string()));
    }
    return join(out, ", ");
}

Table with_row_hash(const Table& table) {
    Table out = table;
    if (table.control || !table.primary_key.empty()) return out;
    Column column;
    column.name = row_hash_column;
    column.type = ColumnType::varchar;
    column.length = 32;
    out.columns.push_back(column);
    out.indexes.push_back({{row_hash_column}, false});
    return out;
}

std::string charset_of(Engine engine) {
    // The database's own may be another one, in which texts would be lost or compared without case.
    return engine == Engine::mysql ? " engine = innodb character set utf8mb4 collate utf8mb4_bin" : "";
}

// On PostgreSQL with its indexes or not at all: of a table that is there nobody asks whether it has them.
Result<> make_table(Connection& connection, const Table& declared) {
    auto statements = table_ddl(declared, connection.engine());
    if (statements.size() == 1) {
        TARN_TRY(connection.run(statements.front()));
        return {};
    }
    return in_transaction(connection, [&]() -> Result<> {
        for (const auto& statement : statements) TARN_TRY(connection.run(statement));
        return {};
    });
}

Result<> ensure_table(Connection& connection, const Table& declared, const Present& present) {
    auto table = with_row_hash(declared);
    auto known = present.find(table.name);
    if (known == present.end()) return make_table(connection, declared);
    for (auto column : table.columns) {
        if (known->second.contains(column.name)) continue;
        // Old rows have no value for it.
        column.not_null = false;
        TARN_TRY(connection.run(fmt::format("alter table {} add column {}", sql_name(table.name),
                                            column_ddl(column, connection.engine()))));
    }
    return {};
}

}  // namespace

Result<Present> present_columns(Connection& connection, Views views) {
    Present out;
    const char* schema = connection.engine() == Engine::mysql ? "database()" : "current_schema()";
    auto sql = fmt::format(
        "select table_name, column_name from information_schema.columns where table_schema = {}", schema);
    if (views == Views::left_out)
        sql += fmt::format(
            " and table_name in (select table_name from information_schema.tables where table_schema = {} "
            "and "
            "table_type = 'BASE TABLE')",
            schema);
    TARN_TRY(connection.each(sql, [&](const std::vector<Field>& row) -> Result<> {
        out[std::string(*row[0])].insert(std::string(*row[1]));
        return {};
    }));
    return out;
}

std::string column_type(const Column& column, Engine engine) {
    return engine == Engine::mysql ? mysql_type(column) : postgres_type(column);
}

std::string key_columns(const Table& table, Engine engine) {
    return indexed(table, table.primary_key, engine);
}

std::string index_name(const Table& table, const Table::Index& index) {
    std::string name = "idx_" + table.name;
    for (const auto& column : index.columns) name += (column.starts_with('_') ? "" : "_") + column;
    if (name.size() <= longest_name) return name;
    auto hash = static_cast<std::uint32_t>(XXH3_64bits(name.data(), name.size()));
    return fmt::format("{}_{:08x}", name.substr(0, longest_name - 9), hash);
}

std::vector<std::string> table_ddl(const Table& declared, Engine engine) {
    auto table = with_row_hash(declared);
    std::vector<std::string> parts, after;
    for (const auto& column : table.columns) parts.push_back(column_ddl(column, engine));
    if (!table.primary_key.empty()) parts.push_back("primary key (" + key_columns(table, engine) + ")");
    std::set<std::string> names;
    for (const auto& index : table.indexes) {
        auto name = index_name(table, index);
        if (!names.insert(name).second) continue;
        auto columns = indexed(table, index.columns, engine);
        if (engine == Engine::mysql) {
            parts.push_back(
                fmt::format("{}key {} ({})", index.unique ? "unique " : "", sql_name(name), columns));
        } else {
            after.push_back(fmt::format("create {}index if not exists {} on {} ({})",
                                        index.unique ? "unique " : "", sql_name(name), sql_name(table.name),
                                        columns));
        }
    }
    after.insert(after.begin(), fmt::format("create table if not exists {} ({}){}", sql_name(table.name),
                                            join(parts, ", "), charset_of(engine)));
    return after;
}

Result<> ensure_tables(Connection& connection, const Schema& schema,
                       const std::function<bool(const Table&)>& wanted) {
    TARN_ASSIGN(auto present, present_columns(connection, Views::counted));
    for (const auto& [name, table] : schema.tables()) {
        if (!wanted(table)) continue;
        auto made = ensure_table(connection, table, present);
        if (!made)
            return fail(made.error().kind, "table \"" + name + "\": " + made.error().message,
                        made.error().place, made.error().next_step);
    }
    return {};
}

Result<> add_column(Connection& connection, const std::string& table, const Column& column) {
    TARN_ASSIGN(auto present, present_columns(connection, Views::counted));
    if (present[table].contains(column.name)) return {};
    TARN_TRY(connection.run(fmt::format("alter table {} add column {}", sql_name(table),
                                        column_ddl(column, connection.engine()))));
    return {};
}

Result<> drop_column(Connection& connection, const std::string& table, const std::string& column) {
    TARN_ASSIGN(auto present, present_columns(connection, Views::counted));
    if (!present[table].contains(column)) return {};
    TARN_TRY(connection.run(fmt::format("alter table {} drop column {}", sql_name(table), sql_name(column))));
    return {};
}

}  // namespace tarn::server
