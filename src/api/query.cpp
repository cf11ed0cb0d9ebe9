#include "api/query.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace tarn::api {
namespace {

using Json = nlohmann::json;

struct Statements {
    Statements(duckdb_connection connection, const std::string& sql) {
        count = duckdb_extract_statements(connection, sql.c_str(), &raw);
    }
    ~Statements() { duckdb_destroy_extracted(&raw); }
    Statements(const Statements&) = delete;
    Statements& operator=(const Statements&) = delete;
    duckdb_extracted_statements raw = nullptr;
    idx_t count = 0;
};

struct Prepared {
    ~Prepared() { duckdb_destroy_prepare(&raw); }
    Prepared() = default;
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;
    duckdb_prepared_statement raw = nullptr;
};

std::string text_or(const char* text, const char* otherwise) { return text == nullptr ? otherwise : text; }

Result<> check_one_select(duck::Connection& connection, const std::string& sql) {
    Statements statements(connection.raw(), sql);
    if (statements.count == 0) {
        return fail(ErrorKind::bad_data,
                    text_or(duckdb_extract_statements_error(statements.raw), "there is no statement"), "sql");
    }
    if (statements.count > 1) return fail(ErrorKind::bad_data, "only one statement at a time", "sql");
    Prepared prepared;
    if (duckdb_prepare_extracted_statement(connection.raw(), statements.raw, 0, &prepared.raw) ==
        DuckDBError) {
        return fail(ErrorKind::bad_data, text_or(duckdb_prepare_error(prepared.raw), "it cannot be prepared"),
                    "sql");
    }
    if (duckdb_prepared_statement_type(prepared.raw) == DUCKDB_STATEMENT_TYPE_SELECT) return {};
    return fail(ErrorKind::bad_data, "only a select is possible here: the data is read-only", "sql");
}

Json whole_number(const std::string& text) {
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number;
    return text;  // beyond 64 bits
}

Json value_of(const duck::Text& text, const std::string& type) {
    if (!text) return nullptr;
    if (type == "BOOLEAN") return *text == "true";
    if (type == "INTEGER" || type == "BIGINT" || type == "UBIGINT" || type == "HUGEINT")
        return whole_number(*text);
    if (type == "FLOAT" || type == "DOUBLE") {
        double number = std::strtod(text->c_str(), nullptr);
        return std::isfinite(number) ? Json(number) : Json(*text);
    }
    return *text;
}

Json as_json(const duck::Rows& rows) {
    Json columns = Json::array(), lines = Json::array();
    for (std::size_t c = 0; c < rows.names.size(); ++c)
        columns.push_back({{"name", rows.names[c]}, {"type", rows.types[c]}});
    for (const auto& row : rows.rows) {
        Json line = Json::array();
        for (std::size_t c = 0; c < row.size(); ++c) line.push_back(value_of(row[c], rows.types[c]));
        lines.push_back(std::move(line));
    }
    return {{"columns", std::move(columns)}, {"rows", std::move(lines)}};
}

}  // namespace

Result<Json> run_query(duck::Database& database, const std::string& sql) {
    TARN_ASSIGN(auto connection, database.connect());
    TARN_TRY(check_one_select(*connection, sql));
    TARN_TRY(connection->run("begin transaction read only"));
    auto rows = connection->query(sql);
    auto ended = connection->run("rollback");
    if (!rows) {
        Error error = rows.error();
        // What the user wrote is at fault, not Tarn.
        if (error.kind == ErrorKind::bug) error.kind = ErrorKind::bad_data;
        return fail(std::move(error));
    }
    if (!ended) return fail(ended.error());
    return as_json(*rows);
}

}  // namespace tarn::api
