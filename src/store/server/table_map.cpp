#include "store/server/table_map.h"

#include <fmt/format.h>

#include "base/text.h"
#include "store/server/ddl.h"
#include "store/server/payload.h"

namespace tarn::server {
namespace {

// NULL and "" differ.
std::string row_hash(const Table& table) {
    std::string values;
    for (const auto& column : table.columns)
        values += fmt::format(", coalesce(cast({} as varchar), chr(30))", sql_name(column.name));
    return "md5(concat_ws(chr(31)" + values + "))";
}

std::string from_file(const Column& column) {
    auto name = sql_name(column.name);
    if (column.type == ColumnType::blob) return "hex(" + name + ")";
    if (column.type == ColumnType::boolean) name = "cast(" + name + " as tinyint)";
    return "cast(" + name + " as varchar)";
}

std::string from_server(const Column& column, Engine engine) {
    auto name = sql_name(column.name);
    if (engine == Engine::postgres && column.type == ColumnType::datetime)
        return name + " at time zone 'UTC'";
    return name;
}

std::string bytes_of_hex(std::string_view hex) {
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return out;
}

}  // namespace

std::string escaped_blob(std::string_view bytes) {
    std::string out;
    for (char c : bytes) out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    return out;
}

TableMap::TableMap(const Table& declared, Engine engine) : name(declared.name), table(&declared) {
    if (declared.has_origin()) params = "_raw_data_params";
    if (declared.column("params") != nullptr) params = "params";
    scope_expression = params.empty() ? "''" : "coalesce(" + sql_name(params) + ", '')";
    std::vector<std::string> file, server;
    for (const auto& column : declared.columns) {
        columns.push_back(column.name);
        file.push_back(from_file(column));
        server.push_back(from_server(column, engine));
    }
    key = declared.primary_key;
    for (const auto& column : key) key_expressions.push_back(sql_name(column));
    if (key.empty()) {
        key = {row_hash_column};
        key_expressions = {row_hash(declared)};
        columns.emplace_back(row_hash_column);
        file.push_back(key_expressions[0]);
    }
    file.push_back(scope_expression);
    file_select = join(file, ", ");
    server_select = join(server, ", ");
}

void TableMap::write(const std::vector<duck::View>& row, RowsText& out) const {
    for (std::size_t i = 0; i < columns.size(); ++i) {
        bool hashed = i >= table->columns.size();
        auto type = hashed ? ColumnType::varchar : table->columns[i].type;
        if (!row[i]) {
            out.null();
        } else if (type == ColumnType::payload) {
            out.bytes(packed(*row[i]));
        } else if (type == ColumnType::blob) {
            out.bytes(bytes_of_hex(*row[i]));
        } else {
            out.text(*row[i]);
        }
    }
    out.end_row();
}

Result<> TableMap::read(const std::vector<Field>& row, duck::Appender& out) const {
    for (std::size_t i = 0; i < table->columns.size(); ++i) {
        if (!row[i]) {
            out.null();
        } else if (table->columns[i].type == ColumnType::payload) {
            TARN_ASSIGN(auto payload, unpacked(*row[i]));
            out.text(valid_utf8(payload));
        } else if (table->columns[i].type == ColumnType::blob) {
            out.text(escaped_blob(*row[i]));
        } else {
            out.text(valid_utf8(*row[i]));
        }
    }
    return out.end_row();
}

}  // namespace tarn::server
