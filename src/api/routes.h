// The API's routes, in one table: the server dispatches by it; openapi.json and docs/api.md are made of it (api/openapi.h).
//
// Paths, shapes and statuses of success follow Apache DevLake. A pattern below /plugins/{plugin}/ stands for every connector that declares
// what the route needs. Refusals carry the envelope.
// Thread rule: handlers run on any thread, several at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/call.h"
#include "api/served.h"
#include "run/home.h"
#include "run/pipelines.h"
#include "run/platform.h"

namespace tarn::api {

struct Services {
    const run::Platform* platform = nullptr;
    const run::Home* home = nullptr;
    run::Pipelines* pipelines = nullptr;
    std::shared_ptr<Served> served = std::make_shared<Served>();
};

// What a connector must declare so that it has a route.
enum class Needs {
    nothing,
    connection,
    scope,
    scope_config,
    remote,
    search,
    uploads,
    files,
    fields,
    lookups,
    groups
};

struct Parameter {
    std::string name, type;  // type: integer, string, boolean
    std::string description;
    bool required = false;
};

constexpr std::size_t usual_body = 1'000'000, long_body = 16UL << 20U, longest_body = 64UL << 20U;

struct Route {
    std::string method,
        pattern;  // "/plugins/{plugin}/connections"; a last segment `{name...}` takes all that follows
    std::string tag, summary;
    std::function<Reply<>(const Services&, const Call&)> handle;
    Needs needs = Needs::nothing;
    std::vector<Parameter> query = {};
    std::string body = {};  // names of shapes (api/shapes.h); `[]` behind one: a list of them
    std::vector<std::pair<int, std::string>> answers = {};  // "": no body
    std::vector<int> refusals = {};                         // beside 400, with the envelope
    std::size_t most_bytes = usual_body;                    // of the body
};

const std::vector<Route>& routes();
bool declares(const connector::Connector& connector, Needs needs);

// Finds the route of a request target and runs it; 404 where there is none. A prefix /api is dropped; behind a prefix /rest the call must
// carry an API key whose path allows it.
Answer dispatch(const Services& services, const std::string& method, const std::string& target, Call call);
// The most bytes that a body may have; 0 where there is no such route.
std::size_t most_bytes(const std::string& method, const std::string& target);

// The routes, by file
std::vector<Route> probe_routes();
std::vector<Route> measurement_routes();
std::vector<Route> plugin_routes();
std::vector<Route> connection_routes();
std::vector<Route> scope_routes();
std::vector<Route> scope_config_routes();
std::vector<Route> remote_routes();
std::vector<Route> webhook_routes();
std::vector<Route> webhook_post_routes();
std::vector<Route> data_routes();
std::vector<Route> key_routes();
std::vector<Route> user_routes();
std::vector<Route> document_routes();
std::vector<Route> project_routes();
std::vector<Route> blueprint_routes();
std::vector<Route> pipeline_routes();
std::vector<Route> query_routes();
std::vector<Route> file_routes();
std::vector<Route> field_routes();
std::vector<Route> number_routes();
std::vector<Route> form_routes();

}  // namespace tarn::api
