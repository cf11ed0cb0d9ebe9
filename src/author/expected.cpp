#include "author/expected.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/csv.h"
#include "base/text.h"
#include "base/time.h"

namespace tarn::author {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

constexpr const char* null_text = "NULL";

std::vector<std::string> csv_files(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(folder, code)) files.push_back(entry.path().string());
    std::ranges::sort(files);
    return files;
}

struct Sheet {
    const Table* table = nullptr;
    std::string file;
    std::vector<const Column*> columns;
    std::vector<std::size_t> key;  // positions of the key's columns
    std::vector<Texts> rows;
};

Failure wrong(const std::string& file, const std::string& message, const std::string& next = {}) {
    return fail(ErrorKind::bad_data, message, file, next);
}

Result<Sheet> read_sheet(const std::string& file, const Schema& schema) {
    Sheet sheet;
    sheet.file = file;
    if (!file.ends_with(".csv")) return wrong(file, "is no list of rows: their names are <table>.csv");
    sheet.table = schema.table(fs::path(file).stem().string());
    if (sheet.table == nullptr || sheet.table->control)
        return wrong(file, "there is no table of this name in tables.sql or among the domain tables");
    std::string text;
    if (!read_file(file, text)) return wrong(file, "cannot be read");
    auto csv = parse_csv(text);
    if (!csv)
        return wrong(file + (csv.error().place.empty() ? "" : ":" + csv.error().place), csv.error().message);
    for (const auto& name : csv->header) {
        const Column* column = sheet.table->column(name);
        if (column == nullptr) return wrong(file + ":1", sheet.table->name + " has no column '" + name + "'");
        sheet.columns.push_back(column);
    }
    if (sheet.columns.empty()) return wrong(file, "is empty: its first line names columns");
    for (const auto& name : sheet.table->primary_key) {
        auto at = std::ranges::find(csv->header, name);
        if (at == csv->header.end())
            return wrong(file + ":1", "the key column '" + name + "' is missing",
                         "The key: " + join(sheet.table->primary_key, ", ") + ".");
        sheet.key.push_back(static_cast<std::size_t>(at - csv->header.begin()));
    }
    // A table without a key is compared by whole rows.
    for (std::size_t i = 0; sheet.table->primary_key.empty() && i < sheet.columns.size(); ++i)
        sheet.key.push_back(i);
    sheet.rows = std::move(csv->rows);
    return sheet;
}

Result<std::vector<Texts>> stored_rows(const Table& table, const std::vector<const Column*>& columns,
                                       DataFile& data) {
    std::string select;
    for (const auto* column : columns)
        select += (select.empty() ? "select " : ", ") + sql_name(column->name) + "::varchar";
    std::string order;
    for (const auto& name : table.primary_key) order += (order.empty() ? "" : ", ") + sql_name(name);
    TARN_ASSIGN(auto reader, data.reader());
    TARN_ASSIGN(auto found, reader->query(select + " from " + sql_name(table.name) + " order by " +
                                          (order.empty() ? "all" : order)));
    std::vector<Texts> rows;
    for (const auto& row : found.rows) {
        Texts texts;
        for (const auto& value : row) texts.push_back(value.value_or(null_text));
        rows.push_back(std::move(texts));
    }
    return rows;
}

bool is_real(const Column& column) {
    return column.type == ColumnType::real8 || column.type == ColumnType::real4;
}

// One text for all ways to write a value.
std::string canonical(const Column& column, const std::string& text) {
    if (text == null_text) return text;
    if (column.type == ColumnType::datetime || column.type == ColumnType::date) {
        Millis time = 0;
        return parse_time(text, time) == Parsed::ok ? format_sql(time) : text;
    }
    if (column.type == ColumnType::boolean) return text == "1" ? "true" : text == "0" ? "false" : lower(text);
    if (is_real(column)) return fmt::format("{}", std::strtod(text.c_str(), nullptr));
    if (column.type != ColumnType::json && column.type != ColumnType::payload)
        return replaced(text, "\r\n", "\n");  // CSV files do not tell them apart
    auto json = nlohmann::json::parse(text, nullptr, false);
    return json.is_discarded() ? text : json.dump();
}

std::string shown(const std::string& text) {
    constexpr std::size_t most = 100;
    if (text == null_text) return text;
    std::string line = replaced(replaced(text, "\r", "\\r"), "\n", "\\n");
    return "'" + (line.size() > most ? valid_utf8(line.substr(0, most)) + "…" : line) + "'";
}

std::string key_of(const Sheet& sheet, const Texts& row) {
    std::vector<std::string> parts;
    for (std::size_t i : sheet.key)
        parts.push_back(sheet.columns[i]->name + "=" + canonical(*sheet.columns[i], row[i]));
    return join(parts, ", ");
}

void compare_row(const Sheet& sheet, const std::string& key, const Texts& want, const Texts& got,
                 std::vector<std::string>& lines) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < want.size(); ++i) {
        if (canonical(*sheet.columns[i], want[i]) == canonical(*sheet.columns[i], got[i])) continue;
        found.push_back(
            fmt::format("      {}: {}, expected {}", sheet.columns[i]->name, shown(got[i]), shown(want[i])));
    }
    if (found.empty()) return;
    lines.push_back("    differs   " + key);
    lines.insert(lines.end(), found.begin(), found.end());
}

Result<std::vector<std::string>> compare_sheet(const Sheet& sheet, DataFile& data) {
    TARN_ASSIGN(auto stored, stored_rows(*sheet.table, sheet.columns, data));
    std::vector<std::string> lines;
    std::multimap<std::string, Texts> got;
    for (auto& row : stored) {
        std::string key = key_of(sheet, row);
        got.emplace(std::move(key), std::move(row));
    }
    for (const auto& want : sheet.rows) {
        std::string key = key_of(sheet, want);
        auto found = got.find(key);
        if (found == got.end()) {
            lines.push_back("    missing   " + key);
        } else {
            compare_row(sheet, key, want, found->second, lines);
            got.erase(found);
        }
    }
    for (const auto& [key, row] : got) lines.push_back("    too many  " + key);
    if (!lines.empty()) lines.insert(lines.begin(), "  " + sheet.file);
    return lines;
}

std::string csv_cell(const std::string& text) {
    bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string::npos;
    return plain ? text : "\"" + replaced(text, "\"", "\"\"") + "\"";
}

Result<> write_sheet(const Sheet& sheet, DataFile& data) {
    TARN_ASSIGN(auto rows, stored_rows(*sheet.table, sheet.columns, data));
    std::string text;
    for (const auto* column : sheet.columns) text += (text.empty() ? "" : ",") + csv_cell(column->name);
    for (const auto& row : rows) {
        text += "\n";
        for (std::size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : ",") + csv_cell(row[i]);
    }
    std::ofstream out(sheet.file, std::ios::binary);
    out << text << "\n";
    out.close();
    if (!out) return fail(ErrorKind::terminal, "cannot be written", sheet.file);
    return {};
}

bool is_kept_by_us(const std::string& column) {
    return column == "created_at" || column == "updated_at" || column.starts_with("_raw_data_") ||
           column.starts_with("_tarn_");
}

// Key columns, and those in which a row has something.
Result<Sheet> new_sheet(const std::string& file, const Table& table, DataFile& data) {
    Sheet sheet{.table = &table, .file = file};
    TARN_ASSIGN(auto reader, data.reader());
    for (const auto& column : table.columns) {
        bool in_key = contains(table.primary_key, column.name);
        if (!in_key && is_kept_by_us(column.name)) continue;
        TARN_ASSIGN(auto filled, reader->number("select count(*) from " + sql_name(table.name) + " where " +
                                                sql_name(column.name) + " is not null"));
        if (in_key || filled > 0) sheet.columns.push_back(&column);
    }
    return sheet;
}

}  // namespace

Result<Comparison> compare_rows(const std::string& folder, const Schema& schema, DataFile& data) {
    Comparison result;
    for (const auto& file : csv_files(folder)) {
        TARN_ASSIGN(auto sheet, read_sheet(file, schema));
        TARN_ASSIGN(auto lines, compare_sheet(sheet, data));
        ++result.tables;
        result.rows += sheet.rows.size();
        result.differences.insert(result.differences.end(), lines.begin(), lines.end());
        result.rejects_expected = result.rejects_expected || sheet.table->name == "_tarn_rejects";
    }
    return result;
}

Result<std::vector<std::string>> write_rows(const std::string& folder, const Schema& schema, DataFile& data,
                                            const std::vector<std::string>& tables) {
    std::vector<std::string> written;
    std::error_code code;
    fs::create_directories(folder, code);
    if (code) return fail(ErrorKind::terminal, "cannot be made: " + code.message(), folder);
    auto files = csv_files(folder);
    for (const auto& file : files) {
        TARN_ASSIGN(auto sheet, read_sheet(file, schema));
        TARN_TRY(write_sheet(sheet, data));
        written.push_back(file);
    }
    if (!files.empty()) return written;
    for (const auto& name : tables) {
        const Table* table = schema.table(name);
        if (table == nullptr) continue;
        TARN_ASSIGN(auto reader, data.reader());
        TARN_ASSIGN(auto rows, reader->number("select count(*) from " + sql_name(name)));
        if (rows == 0) continue;
        TARN_ASSIGN(auto sheet, new_sheet(folder + "/" + name + ".csv", *table, data));
        TARN_TRY(write_sheet(sheet, data));
        written.push_back(sheet.file);
    }
    return written;
}

}  // namespace tarn::author
