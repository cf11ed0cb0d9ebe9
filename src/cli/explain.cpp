// `tarn metrics` and `tarn explain`: a project's numbers and what is behind them, from the data file or through the server that holds it.
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "http/client.h"
#include "run/home.h"
#include "run/numbers.h"

namespace tarn::cli {
namespace {

using Json = nlohmann::json;

struct Asked {
    std::string home, metric, project, from, to, format = "text";
    int version = 0;
    std::int64_t limit = 20;
};

Result<Json> ask_server(const std::string& url, const Asked& asked) {
    http::ClientOptions options;
    options.retries = 0;
    TARN_ASSIGN(auto client, http::open_client(std::move(options)));
    http::Request request;
    request.url = url + "/api/tarn/projects/" + http::url_encode(asked.project) + "/metrics/" +
                  http::url_encode(asked.metric) +
                  fmt::format("?version={}&limit={}&from={}&to={}", asked.version, asked.limit,
                              http::url_encode(asked.from), http::url_encode(asked.to));
    TARN_ASSIGN(auto response, client->fetch(std::move(request)));
    auto answer = Json::parse(response.body, nullptr, false);
    if (response.status == 200 && answer.is_object()) return answer;
    std::string message = answer.is_object() ? answer.value("message", std::string())
                                             : "it answers with status " + std::to_string(response.status);
    return fail(ErrorKind::bad_data, message);
}

Result<Json> ask(const Asked& asked) {
    auto folder = home_folder(asked.home);
    TARN_ASSIGN(auto home, home_for_reading(folder));
    if (!home.url.empty()) return ask_server(home.url, asked);
    TARN_ASSIGN(auto settings, secrets::Settings::read(folder));
    TARN_ASSIGN(auto platform, load_platform(settings));
    TARN_ASSIGN(auto numbers, run::Numbers::load(*platform));
    TARN_ASSIGN(const auto* number, numbers.find(asked.metric, asked.version));
    TARN_ASSIGN(auto range, run::range_of(asked.from, asked.to, now_millis()));
    TARN_ASSIGN(auto database, run::open_data(folder, settings));
    TARN_ASSIGN(auto connection, database->connect());
    return run::explain(*connection, *number, asked.project, range, asked.limit);
}

std::string text_of(const Json& value) {
    return value.is_null() ? "" : value.is_string() ? value.get<std::string>() : value.dump();
}

// Where the source's own payload of a row lies; "" where the row was made of none.
std::string payload_of(const Json& row) {
    auto table = text_of(row["raw_table"]), id = text_of(row["raw_id"]);
    return table.empty() || id.empty() || id == "0" ? "" : table + " " + id;
}

void print_rows(const Json& explained) {
    std::vector<std::vector<std::string>> rows = {{"at", "value", "id", "title", "payload"}};
    std::string unit = explained["unit"];
    bool spans = unit == "minutes";
    for (const auto& row : explained["rows"]) {
        constexpr std::size_t widest = 60;
        auto title = replaced(text_of(row["title"]), "\n", " ");
        if (title.size() > widest) title = valid_utf8(title.substr(0, widest)) + "…";
        rows.push_back({text_of(row["at"]).substr(0, 19),
                        spans ? run::number_text(row["value"], unit) : text_of(row["value"]),
                        text_of(row["id"]), title, payload_of(row)});
    }
    std::cout << text_table(rows, rows[0].size());
}

void print_text(const Json& explained) {
    std::cout << fmt::format("{} of {}: {}", text_of(explained["title"]), text_of(explained["project"]),
                             run::number_text(explained["value"], explained["unit"]));
    if (auto levels = run::level_text(explained["levels"]); !levels.empty()) std::cout << ", " << levels;
    std::cout << fmt::format("\n{} to {}, definition {} of {}\n\n{}\n", text_of(explained["from"]),
                             text_of(explained["to"]), text_of(explained["version"]),
                             text_of(explained["metric"]), text_of(explained["definition"]));
    for (const auto& [name, value] : explained["more"].items())
        std::cout << fmt::format("{}: {}\n", replaced(name, "_", " "), text_of(value));
    auto count = explained["row_count"].get<std::int64_t>();
    std::cout << fmt::format("\n{} row{} behind it", count, count == 1 ? "" : "s");
    if (static_cast<std::int64_t>(explained["rows"].size()) < count)
        std::cout << fmt::format(", the latest {} here (--limit 0 shows all)", explained["rows"].size());
    std::cout << "\n";
    if (count == 0) return;
    print_rows(explained);
    std::cout << "A payload is opened with: tarn query \"select data from <table> where id = <number>\"\n";
}

int explain(const Asked& asked) {
    auto explained = ask(asked);
    if (!explained) return tell(explained.error());
    if (asked.format == "json") {
        std::cout << explained->dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
    } else {
        print_text(*explained);
    }
    return exit_done;
}

int list_metrics(bool long_form) {
    auto settings = secrets::Settings::read(home_folder(""));
    if (!settings) return tell(settings.error());
    auto platform = load_platform(*settings);
    if (!platform) return tell(platform.error());
    auto numbers = run::Numbers::load(**platform);
    if (!numbers) return tell(numbers.error());
    std::vector<std::vector<std::string>> rows = {{"number", "version", "title", "unit", "levels"}};
    for (const auto& number : numbers->all()) {
        std::vector<std::string> years;
        for (const auto& [year, expression] : number.levels) years.push_back(year);
        rows.push_back(
            {number.name, std::to_string(number.version), number.title, number.unit, join(years, " ")});
        if (long_form) std::cout << number.name << " " << number.version << "\n  " << number.says << "\n";
    }
    if (!long_form) std::cout << text_table(rows, rows[0].size());
    return exit_done;
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand(
        "explain", "A number of a project: value, level, definition and the rows behind it");
    auto asked = std::make_shared<Asked>();
    command->add_option("metric", asked->metric, "which number; `tarn metrics` lists them")->required();
    command->add_option("--project", asked->project, "of which project")->required();
    command->add_option("--from", asked->from,
                        "2026-01-31 or 2026-01-31T12:00:00Z; without: half a year before --to");
    command->add_option("--to", asked->to, "a date means that day as a whole; without: now");
    command->add_option("--version", asked->version, "of the definition; without: the newest");
    command->add_option("--limit", asked->limit, "rows to show, the latest first; 0: all")
        ->capture_default_str();
    command->add_option("--format", asked->format, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    command->add_option("--home", asked->home, "folder of the data (TARN_HOME, ./data)");
    command->callback([=, &exit_code] { exit_code = explain(*asked); });

    auto* metrics = app.add_subcommand("metrics", "List the numbers of projects with their versions");
    auto long_form = std::make_shared<bool>(false);
    metrics->add_flag("--definitions", *long_form, "with the definitions in words");
    metrics->callback([=, &exit_code] { exit_code = list_metrics(*long_form); });
}

}  // namespace tarn::cli
