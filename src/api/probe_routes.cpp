// Is it alive, ready, healthy, and which version is it?
#include "api/routes.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

Reply<> ping(const Services&, const Call&) { return Answer{.empty = true}; }

Reply<> ready(const Services&, const Call&) { return envelope(200, "ready"); }

// Connectors that were left out do not make the others ill, nor does a key that does not fit: they are told in `data`.
Reply<> health(const Services& services, const Call&) {
    TARN_TRY(services.home->control().query("select id from _devlake_pipelines limit 1"));
    Json problems = Json::array();
    const auto& key = services.home->key();
    if (!key.good()) problems.push_back(key.problem().text());
    for (const auto& problem : services.platform->problems()) problems.push_back(problem.text());
    const char* state = key.good() ? "good" : "degraded: stored secrets cannot be used";
    return envelope(200, state, problems.empty() ? Json() : Json{{"problems", problems}});
}

Reply<> migrated(const Services&, const Call&) { return envelope(200, "success"); }

Reply<> version(const Services&, const Call&) { return Answer{.body = {{"version", TARN_VERSION}}}; }

}  // namespace

std::vector<Route> probe_routes() {
    const std::string tag = "probes";
    return {
        {.method = "GET",
         .pattern = "/ping",
         .tag = tag,
         .summary = "An empty answer",
         .handle = ping,
         .answers = {{200, ""}}},
        {.method = "GET",
         .pattern = "/ready",
         .tag = tag,
         .summary = "Whether requests are served",
         .handle = ready,
         .answers = {{200, "Envelope"}}},
        {.method = "GET",
         .pattern = "/health",
         .tag = tag,
         .summary = "Whether the stores can be read, their key fits, and which connectors were left out",
         .handle = health,
         .answers = {{200, "Envelope"}}},
        {.method = "GET",
         .pattern = "/version",
         .tag = tag,
         .summary = "The program's version",
         .handle = version,
         .answers = {{200, "Version"}}},
        {.method = "GET",
         .pattern = "/proceed-db-migration",
         .tag = tag,
         .summary = "Kept for DevLake's page: the stores are brought up to date before the server listens",
         .handle = migrated,
         .answers = {{200, "Envelope"}}},
    };
}

}  // namespace tarn::api
