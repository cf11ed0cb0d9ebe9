// `tarn query "select …"`: on the data file, or through the server that holds it.
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/query.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "http/client.h"
#include "run/home.h"

namespace tarn::cli {
namespace {

using Json = nlohmann::json;

Result<Json> ask_server(const std::string& url, const std::string& sql) {
    http::ClientOptions options;
    options.retries = 0;
    TARN_ASSIGN(auto client, http::open_client(std::move(options)));
    http::Request request;
    request.method = "POST";
    request.url = url + "/api/tarn/query";
    request.body = Json{{"sql", sql}}.dump(-1, ' ', false, Json::error_handler_t::replace);
    TARN_ASSIGN(auto response, client->fetch(std::move(request)));
    auto answer = Json::parse(response.body, nullptr, false);
    if (response.status == 200 && answer.is_object()) return answer;
    std::string message = answer.is_object() ? answer.value("message", std::string())
                                             : "it answers with status " + std::to_string(response.status);
    return fail(ErrorKind::bad_data, message);
}

Result<Json> ask(const std::string& folder, const std::string& sql) {
    TARN_ASSIGN(auto home, home_for_reading(folder));
    if (!home.url.empty()) return ask_server(home.url, sql);
    TARN_ASSIGN(auto settings, secrets::Settings::read(folder));
    TARN_ASSIGN(auto database, run::open_data(folder, settings));
    return api::run_query(*database, sql);
}

std::string cell(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump();
}

// A cell stays on its line; the other formats hold the whole text.
std::string short_cell(const Json& value) {
    constexpr std::size_t longest = 80;
    auto text = replaced(replaced(cell(value), "\n", " "), "\r", "");
    if (text.size() <= longest) return text;
    text.resize(longest);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0U) text.pop_back();
    return text + "…";
}

void print_table(const Json& answer) {
    std::vector<std::vector<std::string>> rows(1);
    for (const auto& column : answer["columns"]) rows[0].push_back(cell(column["name"]));
    for (const auto& line : answer["rows"]) {
        auto& row = rows.emplace_back();
        for (const auto& value : line) row.push_back(short_cell(value));
    }
    std::cout << text_table(rows, rows[0].size())
              << fmt::format("({} row{})\n", rows.size() - 1, rows.size() == 2 ? "" : "s");
}

// RFC 4180; NULL is empty, an empty text is "".
std::string csv_cell(const Json& value) {
    auto text = cell(value);
    bool quoted = (value.is_string() && text.empty()) || text.find_first_of(",\"\r\n") != std::string::npos;
    return quoted ? "\"" + replaced(text, "\"", "\"\"") + "\"" : text;
}

void print_csv(const Json& answer) {
    std::vector<std::string> cells;
    for (const auto& column : answer["columns"]) cells.push_back(csv_cell(column["name"]));
    // Not join(): it leaves out the comma before an empty first cell.
    auto line = [](const std::vector<std::string>& row) {
        for (std::size_t i = 0; i < row.size(); ++i) std::cout << (i == 0 ? "" : ",") << row[i];
        std::cout << "\n";
    };
    line(cells);
    for (const auto& row : answer["rows"]) {
        cells.clear();
        for (const auto& value : row) cells.push_back(csv_cell(value));
        line(cells);
    }
}

void print_json(const Json& answer) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& row : answer["rows"]) {
        nlohmann::ordered_json object = nlohmann::ordered_json::object();
        for (std::size_t c = 0; c < row.size(); ++c) object[cell(answer["columns"][c]["name"])] = row[c];
        out.push_back(std::move(object));
    }
    std::cout << out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

int query(const std::string& given_home, const std::string& sql, const std::string& format) {
    auto answer = ask(home_folder(given_home), sql);
    if (!answer) return tell(answer.error());
    if (format == "csv") print_csv(*answer);
    if (format == "json") print_json(*answer);
    if (format == "table") print_table(*answer);
    return exit_done;
}

}  // namespace

void add_query(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("query", "Run one select on the data");
    auto home = std::make_shared<std::string>(), sql = std::make_shared<std::string>();
    auto format = std::make_shared<std::string>("table");
    command->add_option("sql", *sql, "a select in DuckDB's SQL")->required();
    command->add_option("--format", *format, "table, csv or json")
        ->check(CLI::IsMember({"table", "csv", "json"}))
        ->capture_default_str();
    command->add_option("--home", *home, "folder of the data (TARN_HOME, ./data)");
    command->callback([=, &exit_code] { exit_code = query(*home, *sql, *format); });
}

}  // namespace tarn::cli
