#include "upgrade/database.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "store/server/ddl.h"

namespace tarn::upgrade {
namespace {

constexpr std::array<const char*, 5> integers = {"bigint", "int", "integer", "smallint", "tinyint"};
constexpr std::array<const char*, 5> long_texts = {"longtext", "json", "jsonb", "text", "longblob"};

template <std::size_t N>
bool among(const std::string& word, const std::array<const char*, N>& words) {
    return std::ranges::any_of(words, [&](const char* one) { return word == one; });
}

// MySQL's "text" holds 64 kB; the catalogue's word for PostgreSQL's is told apart in load().
bool holds_long_text(const std::string& kind) { return among(kind, long_texts) || kind == "bytea"; }

}  // namespace

const FoundColumn* FoundTable::column(std::string_view name) const {
    auto found = std::ranges::find(columns, name, &FoundColumn::name);
    return found == columns.end() ? nullptr : &*found;
}

const FoundTable* Database::table(std::string_view name) const {
    auto found = tables_.find(name);
    return found == tables_.end() ? nullptr : &found->second;
}

bool Database::has(std::string_view table_name, std::string_view column) const {
    const auto* found = table(table_name);
    return found != nullptr && found->column(column) != nullptr;
}

Result<> Database::load() {
    tables_.clear();
    TARN_TRY(load_columns());
    TARN_TRY(load_keys());
    return load_checks();
}

Result<> Database::load_columns() {
    auto sql = fmt::format(
        "select c.table_name, c.column_name, c.data_type, c.character_maximum_length, c.is_nullable, "
        "case when c.column_default is null then 0 else 1 end from "
        "information_schema.columns c join information_schema.tables t on t.table_schema = c.table_schema "
        "and "
        "t.table_name = c.table_name where c.table_schema = {} and t.table_type = 'BASE TABLE' order by "
        "c.table_name, c.ordinal_position",
        is_mysql() ? "database()" : "current_schema()");
    return connection_->each(sql, [&](const std::vector<server::Field>& row) -> Result<> {
        FoundColumn column{.name = std::string(*row[1]), .kind = lower(*row[2])};
        if (column.kind == "character varying") column.kind = "varchar";
        if (column.kind == "text" && is_mysql()) column.kind = "short text";
        if (column.kind == "text" && !is_mysql()) column.kind = "longtext";
        // MySQL tells the length of long texts, too, which does not fit.
        if (row[3] && column.kind == "varchar") column.length = std::stoi(std::string(*row[3]));
        column.not_null = *row[4] == "NO";
        column.has_default = *row[5] == "1";
        tables_[std::string(*row[0])].columns.push_back(std::move(column));
        return {};
    });
}

Result<> Database::load_keys() {
    auto sql = fmt::format(
        "select k.table_name, k.column_name from information_schema.key_column_usage k join "
        "information_schema.table_constraints c on c.constraint_schema = k.constraint_schema and "
        "c.constraint_name = k.constraint_name and c.table_name = k.table_name where k.table_schema = {} and "
        "c.constraint_type = 'PRIMARY KEY' order by k.table_name, k.ordinal_position",
        is_mysql() ? "database()" : "current_schema()");
    return connection_->each(sql, [&](const std::vector<server::Field>& row) -> Result<> {
        tables_[std::string(*row[0])].primary_key.emplace_back(*row[1]);
        return {};
    });
}

// MariaDB names a column's check after the column.
Result<> Database::load_checks() {
    if (!is_mysql()) return {};
    TARN_ASSIGN(auto version, connection_->query("select version() as v"));
    if (lower(version.text(0, "v")).find("mariadb") == std::string::npos) return {};
    return connection_->each(
        "select table_name, constraint_name from information_schema.check_constraints where "
        "constraint_schema = database() and level = 'Column'",
        [&](const std::vector<server::Field>& row) -> Result<> {
            auto table = tables_.find(*row[0]);
            if (table == tables_.end()) return {};
            for (auto& column : table->second.columns) column.is_checked |= column.name == *row[1];
            return {};
        });
}

Result<> Database::run_at(const std::string& table_name, const std::string& sql) {
    auto ran = connection_->run_once(sql);
    if (ran) return {};
    Error error = ran.error();
    error.place = "table " + table_name;
    return fail(std::move(error));
}

Result<> Database::run(const std::string& sql, const std::vector<ControlValue>& values) {
    TARN_TRY(connection_->run(sql, values));
    return {};
}

Result<std::int64_t> Database::count(const std::string& table_name, const std::string& condition) {
    if (table(table_name) == nullptr) return 0;
    TARN_ASSIGN(auto rows,
                connection_->query(fmt::format("select count(*) as n from {}{}{}", sql_name(table_name),
                                               condition.empty() ? "" : " where ", condition)));
    return rows.number(0, "n");
}

Result<> Database::rename_table(const std::string& from, const std::string& to) {
    if (table(from) == nullptr || table(to) != nullptr) return {};
    if (!is_mysql()) {
        // Index names are the schema's: a new table of the old name could not have its own.
        TARN_ASSIGN(auto indexes,
                    connection_->query("select indexname as name from pg_indexes where schemaname = "
                                       "current_schema() and tablename = ?",
                                       {from}));
        for (std::size_t i = 0; i < indexes.rows.size(); ++i) {
            auto name = indexes.text(i, "name");
            if (name.starts_with("_old_")) continue;  // by a call that was killed
            TARN_TRY(run_at(from, fmt::format("alter index {} rename to {}", sql_name(name),
                                              sql_name(("_old_" + name).substr(0, 63)))));
        }
    }
    TARN_TRY(run_at(from, fmt::format("alter table {} rename to {}", sql_name(from), sql_name(to))));
    auto node = tables_.extract(from);
    node.key() = to;
    tables_.insert(std::move(node));
    return {};
}

Result<> Database::rename_column(const std::string& table_name, const std::string& from, const Column& to) {
    if (!has(table_name, from) || has(table_name, to.name)) return {};
    auto type = server::column_type(to, connection_->engine());
    if (is_mysql()) {
        TARN_TRY(run_at(table_name, fmt::format("alter table {} change column {} {} {}{}",
                                                sql_name(table_name), sql_name(from), sql_name(to.name), type,
                                                to.not_null ? " not null" : "")));
    } else {
        TARN_TRY(run_at(table_name, fmt::format("alter table {} rename column {} to {}", sql_name(table_name),
                                                sql_name(from), sql_name(to.name))));
    }
    for (auto& column : tables_[table_name].columns) {
        if (column.name == from) column.name = to.name;
    }
    std::ranges::replace(tables_[table_name].primary_key, from, to.name);
    if (is_mysql()) return {};
    return retype(table_name, to);
}

Result<> Database::retype(const std::string& table_name, const Column& to) {
    auto type = server::column_type(to, connection_->engine());
    bool keeps_not_null = table(table_name)->column(to.name)->not_null;
    auto name = sql_name(to.name);
    // A text that is empty is no JSON, and no number.
    bool text_before = !among(table(table_name)->column(to.name)->kind, integers);
    bool text_after = to.type == ColumnType::varchar || to.type == ColumnType::text ||
                      to.type == ColumnType::blob || to.type == ColumnType::payload;
    if (text_before && !text_after && !keeps_not_null) {
        TARN_TRY(
            run_at(table_name, fmt::format("update {} set {} = null where {}", sql_name(table_name), name,
                                           is_mysql() ? "length(" + name + ") = 0" : name + "::text = ''")));
    }
    if (is_mysql()) {
        return run_at(table_name, fmt::format("alter table {} modify column {} {}{}{}", sql_name(table_name),
                                              name, type, keeps_not_null ? " not null" : "",
                                              to.auto_increment ? " auto_increment" : ""));
    }
    bool from_bytes = table(table_name)->column(to.name)->kind == "bytea" && to.type != ColumnType::blob &&
                      to.type != ColumnType::payload;
    auto value = from_bytes        ? fmt::format("convert_from({}, 'UTF8')::{}", name, type)
                 : type == "bytea" ? fmt::format("convert_to({}::text, 'UTF8')", name)
                                   : fmt::format("{}::text::{}", name, type);
    return run_at(table_name, fmt::format("alter table {} alter column {} type {} using {}",
                                          sql_name(table_name), name, type, value));
}

Result<> Database::allow_null(const std::string& table_name, const std::string& column) {
    auto table = sql_name(table_name), name = sql_name(column);
    if (!is_mysql())
        return run_at(table_name, fmt::format("alter table {} alter column {} drop not null", table, name));
    TARN_ASSIGN(auto types,
                connection_->query("select column_type as t from information_schema.columns where "
                                   "table_schema = database() and table_name = ? and column_name = ?",
                                   {table_name, column}));
    return run_at(table_name,
                  fmt::format("alter table {} modify column {} {} null", table, name, types.text(0, "t")));
}

Result<> Database::drop_column(const std::string& table_name, const std::string& column) {
    if (!has(table_name, column)) return {};
    TARN_TRY(run_at(table_name,
                    fmt::format("alter table {} drop column {}", sql_name(table_name), sql_name(column))));
    std::erase_if(tables_[table_name].columns, [&](const auto& one) { return one.name == column; });
    return {};
}

Result<> Database::set_primary_key(const Table& declared) {
    const auto& table_name = declared.name;
    const auto& columns = declared.primary_key;
    auto list = server::key_columns(declared, connection_->engine());
    auto& found = tables_[table_name];
    if (found.primary_key == columns) return {};
    auto name = sql_name(table_name);
    if (is_mysql()) {
        // One statement: without a key the table would take rows twice.
        TARN_TRY(
            run_at(table_name, fmt::format("alter table {} {}add primary key ({})", name,
                                           found.primary_key.empty() ? "" : "drop primary key, ", list)));
    } else {
        if (!found.primary_key.empty()) {
            TARN_ASSIGN(auto keys,
                        connection_->query("select constraint_name as name from "
                                           "information_schema.table_constraints where table_schema = "
                                           "current_schema() and table_name = ? and constraint_type = "
                                           "'PRIMARY KEY'",
                                           {table_name}));
            if (!keys.rows.empty())
                TARN_TRY(run_at(table_name, fmt::format("alter table {} drop constraint {}", name,
                                                        sql_name(keys.text(0, "name")))));
        }
        TARN_TRY(run_at(table_name, fmt::format("alter table {} add primary key ({})", name, list)));
    }
    found.primary_key = columns;
    return {};
}

Result<> Database::drop_table(const std::string& table_name) {
    TARN_TRY(run_at(table_name, "drop table if exists " + sql_name(table_name)));
    tables_.erase(table_name);
    return {};
}

bool holds(const FoundColumn& found, const Column& declared) {
    const auto& kind = found.kind;
    if (found.is_checked && declared.type != ColumnType::json) return false;
    switch (declared.type) {
        case ColumnType::varchar:
            return (kind == "varchar" && found.length >= declared.length) || holds_long_text(kind) ||
                   kind == "short text";
        case ColumnType::text: return kind == "longtext";
        case ColumnType::json: return kind == "json" || kind == "jsonb" || kind == "longtext";
        case ColumnType::blob:
        case ColumnType::payload: return kind == "longblob" || kind == "bytea" || kind == "longtext";
        case ColumnType::bigint:
        case ColumnType::ubigint: return kind == "bigint";
        case ColumnType::integer:
        case ColumnType::smallint: return among(kind, integers);
        case ColumnType::boolean: return kind == "boolean" || among(kind, integers);
        case ColumnType::real8: return kind == "double" || kind == "double precision" || kind == "numeric";
        case ColumnType::real4: return kind == "float" || kind == "real" || kind.starts_with("double");
        case ColumnType::datetime: return kind == "datetime" || kind.starts_with("timestamp");
        case ColumnType::date: return kind == "date" || kind == "datetime" || kind.starts_with("timestamp");
    }
    return true;
}

}  // namespace tarn::upgrade
