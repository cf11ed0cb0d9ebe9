#include "run/custom_fields.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "run/fields.h"
#include "store/mirror.h"
#include "store/server/ddl.h"

namespace tarn::run {
namespace {

constexpr const char* fields_table = "_tool_customized_fields";
constexpr std::size_t longest_name = 52;

struct FieldType {
    const char* name;
    ColumnType type;
    int length;
};

constexpr std::array<FieldType, 5> field_types = {{
    {"varchar(255)", ColumnType::varchar, 255},
    {"text", ColumnType::text, 0},
    {"bigint", ColumnType::bigint, 0},
    {"float", ColumnType::real8, 0},
    {"timestamp", ColumnType::datetime, 0},
}};

const FieldType* type_of(const std::string& name) {
    const auto* found =
        std::ranges::find(field_types, name, [](const auto& type) { return std::string(type.name); });
    return found == field_types.end() ? nullptr : found;
}

std::string legal_types() {
    std::vector<std::string> names;
    for (const auto& type : field_types) names.emplace_back(type.name);
    return join(names, ", ");
}

Result<> check_name(const std::string& name) {
    bool plain = std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
    if (name.starts_with("x_") && plain && name.size() <= longest_name) return {};
    return wrong(
        "columnName",
        fmt::format("must start with x_ and have letters, digits and underscores, {} at most", longest_name));
}

Column column_of(const CustomField& field) {
    Column column;
    column.name = field.column;
    if (const auto* type = type_of(field.type)) {
        column.type = type->type;
        column.length = type->length;
    }
    return column;
}

Result<> mirror_fields(DataFile& data, ControlStore& control, const Schema& schema) {
    const Table* table = schema.table(fields_table);
    if (table == nullptr) return fail(ErrorKind::bug, "is not declared", fields_table);
    return mirror_control(data, control, *table);
}

Result<std::vector<CustomField>> read_fields(ControlStore& control, const std::string& condition,
                                             const std::vector<ControlValue>& values) {
    TARN_ASSIGN(auto rows,
                control.query(fmt::format("select tb_name, column_name, display_name, data_type, "
                                          "description from {}{} order by tb_name, created_at, column_name",
                                          fields_table, condition),
                              values));
    std::vector<CustomField> out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        out.push_back({rows.text(i, "tb_name"), rows.text(i, "column_name"), rows.text(i, "display_name"),
                       rows.text(i, "data_type"), rows.text(i, "description")});
    }
    return out;
}

}  // namespace

Result<const Table*> customizable_table(const Schema& schema, const std::string& name) {
    const Table* table = schema.table(name);
    if (table != nullptr && !table->control && !name.starts_with('_')) return table;
    return wrong("table", "there is no table '" + name.substr(0, 100) + "' in the domain layer");
}

Result<std::vector<CustomField>> custom_fields(ControlStore& control, const std::string& table) {
    return read_fields(control, " where tb_name = ?", {table});
}

Result<std::map<std::string, std::vector<Column>>> custom_columns(ControlStore& control) {
    TARN_ASSIGN(auto all, read_fields(control, "", {}));
    std::map<std::string, std::vector<Column>> out;
    for (const auto& field : all) out[field.table].push_back(column_of(field));
    return out;
}

Result<> add_custom_field(DataFile& data, ControlStore& control, const Schema& schema,
                          const CustomField& field) {
    TARN_TRY(customizable_table(schema, field.table));
    TARN_TRY(check_name(field.column));
    if (type_of(field.type) == nullptr)
        return wrong("dataType",
                     "'" + field.type.substr(0, 100) + "' is not supported; legal: " + legal_types());
    TARN_TRY(check_text({.name = "display_name", .length = 255}, "displayName", field.display_name));
    TARN_ASSIGN(auto known, custom_fields(control, field.table));
    // DuckDB's names have no case.
    bool there = std::ranges::any_of(
        known, [&](const auto& other) { return lower(other.column) == lower(field.column); });
    if (there) return wrong("columnName", "the column " + field.column + " already exists");
    auto now = format_sql(now_millis());
    TARN_TRY(control.run(
        fmt::format("insert into {} (tb_name, column_name, display_name, data_type, description, "
                    "created_at, updated_at) values (?, ?, ?, ?, ?, ?, ?)",
                    fields_table),
        {field.table, field.column, field.display_name, field.type, field.description, now, now}));
    TARN_TRY(data.add_column(field.table, column_of(field)));
    return mirror_fields(data, control, schema);
}

Result<> drop_custom_field(DataFile& data, ControlStore& control, const Schema& schema,
                           const std::string& table, const std::string& column) {
    TARN_TRY(customizable_table(schema, table));
    TARN_TRY(check_name(column));
    // The row first: other processes look at the rows when they hear of the change.
    TARN_TRY(control.run(fmt::format("delete from {} where tb_name = ? and column_name = ?", fields_table),
                         {table, column}));
    TARN_TRY(data.drop_column(table, column));
    return mirror_fields(data, control, schema);
}

Result<> restore_custom_fields(DataFile& data, ControlStore& control, const Schema& schema) {
    TARN_ASSIGN(auto all, read_fields(control, "", {}));
    for (const auto& field : all) {
        // A table that is no longer declared keeps its row: a later version may have it again.
        if (schema.table(field.table) != nullptr) TARN_TRY(data.add_column(field.table, column_of(field)));
    }
    return {};
}

Result<Table> with_custom_fields(ControlStore& control, const Table& table) {
    Table out = table;
    TARN_ASSIGN(auto own, custom_fields(control, table.name));
    for (const auto& field : own) out.columns.push_back(column_of(field));
    return out;
}

std::string type_text(const Column& column) {
    if (column.type == ColumnType::text) return "text";
    if (column.type == ColumnType::blob) return "blob";
    return server::column_type(column, server::Engine::mysql);
}

}  // namespace tarn::run
