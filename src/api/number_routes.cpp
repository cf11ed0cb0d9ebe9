// Numbers of projects, with their definitions and the rows behind them.
#include "api/routes.h"
#include "base/time.h"
#include "run/numbers.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t usual_rows = 100;

Reply<> list_numbers(const Services& services, const Call&) {
    TARN_ASSIGN(auto numbers, run::Numbers::load(*services.platform));
    Json out = Json::array();
    for (const auto& number : numbers.all()) {
        Json years = Json::array();
        for (const auto& [year, expression] : number.levels) years.push_back(year);
        out.push_back({{"metric", number.name},
                       {"version", number.version},
                       {"title", number.title},
                       {"unit", number.unit},
                       {"definition", number.says},
                       {"levels", years}});
    }
    return Answer{.body = out};
}

Result<run::NumberRange> range_of(const Call& call) {
    return run::range_of(call.query_text("from"), call.query_text("to"), now_millis());
}

Reply<> project_numbers(const Services& services, const Call& call) {
    TARN_ASSIGN(auto numbers, run::Numbers::load(*services.platform));
    TARN_ASSIGN(auto range, range_of(call));
    TARN_ASSIGN(auto connection, services.home->data().reader());
    TARN_ASSIGN(auto values, run::project_numbers(*connection, numbers, call.path.at("projectName"), range));
    return Answer{.body = {{"project", call.path.at("projectName")},
                           {"from", format_rfc3339(range.from)},
                           {"to", format_rfc3339(range.to)},
                           {"numbers", values}}};
}

Reply<> explain_number(const Services& services, const Call& call) {
    TARN_ASSIGN(auto numbers, run::Numbers::load(*services.platform));
    TARN_ASSIGN(auto version, call.query_number("version", 0));
    TARN_ASSIGN(auto limit, call.query_number("limit", usual_rows));
    TARN_ASSIGN(const auto* number, numbers.find(call.path.at("metric"), static_cast<int>(version)));
    TARN_ASSIGN(auto range, range_of(call));
    TARN_ASSIGN(auto connection, services.home->data().reader());
    TARN_ASSIGN(auto explained,
                run::explain(*connection, *number, call.path.at("projectName"), range, limit));
    return Answer{.body = explained};
}

}  // namespace

std::vector<Route> number_routes() {
    const std::string tag = "numbers";
    std::vector<Parameter> range = {
        {"from", "string", "a date or time, UTC; without: half a year before `to`"},
        {"to", "string", "a date (with that day) or a time, UTC; without: now"}};
    auto with_rows = range;
    with_rows.push_back({"version", "integer", "of the definition; without: the newest"});
    with_rows.push_back({"limit", "integer", "at most so many rows, the latest first; 0: all; without: 100"});
    return {
        {.method = "GET",
         .pattern = "/tarn/metrics",
         .tag = tag,
         .summary = "Definitions of all numbers, every version",
         .handle = list_numbers,
         .answers = {{200, "NumberDefinition[]"}}},
        {.method = "GET",
         .pattern = "/tarn/projects/{projectName}/metrics",
         .tag = tag,
         .summary = "The numbers of a project with their levels",
         .handle = project_numbers,
         .query = range,
         .answers = {{200, "ProjectNumbers"}}},
        {.method = "GET",
         .pattern = "/tarn/projects/{projectName}/metrics/{metric}",
         .tag = tag,
         .summary = "A number, its definition and the rows behind it",
         .handle = explain_number,
         .query = with_rows,
         .answers = {{200, "ExplainedNumber"}}},
    };
}

}  // namespace tarn::api
