// Is it alive, ready, healthy, and which version is it?
#include "api/routes.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

Result<Answer> ping(const Services&, const Call&) { return Answer{200, nullptr, true}; }

Result<Answer> ready(const Services&, const Call&) { return envelope(200, "ready"); }

// Connectors that were left out do not make the others ill: they are told in `data`.
Result<Answer> health(const Services& services, const Call&) {
    TARN_TRY(services.home->control().query("select id from _devlake_pipelines limit 1"));
    Json problems = Json::array();
    for (const auto& problem : services.platform->problems()) problems.push_back(problem.text());
    return envelope(200, "good", problems.empty() ? Json() : Json{{"problems", problems}});
}

Result<Answer> version(const Services&, const Call&) { return Answer{200, {{"version", TARN_VERSION}}}; }

}  // namespace

std::vector<Route> probe_routes() {
    return {
        {"GET", "/ping", ping, "An empty answer"},
        {"GET", "/ready", ready, "Whether requests are served"},
        {"GET", "/health", health, "Whether the stores can be read, and which connectors were left out"},
        {"GET", "/version", version, "The program's version"},
    };
}

}  // namespace tarn::api
