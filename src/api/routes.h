// The API's routes, in one table: what the server dispatches by and what an OpenAPI document can be made of.
//
// Shapes and statuses follow Apache DevLake. An Error becomes its envelope: bad_data 400, transient 503, else 500.
// Thread rule: handlers run on any thread, several at once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/pipelines.h"
#include "base/result.h"
#include "run/home.h"
#include "run/platform.h"

namespace tarn::api {

struct Services {
    const run::Platform* platform = nullptr;
    const run::Home* home = nullptr;
    Pipelines* pipelines = nullptr;
};

struct Call {
    std::map<std::string, std::string> path;  // values of `{name}`
    std::multimap<std::string, std::string> query;
    std::string body;
    std::string peer, host;  // address of the caller; the Host header

    // bad_data, with line and column, where the body is not JSON; an empty one is an empty object
    [[nodiscard]] Result<nlohmann::json> json() const;
    // bad_data where the value is not a whole number
    [[nodiscard]] Result<std::int64_t> number(const std::string& name) const;
    [[nodiscard]] Result<std::int64_t> query_number(const std::string& name, std::int64_t otherwise) const;
    [[nodiscard]] std::string query_text(const std::string& name) const;
};

struct Answer {
    int status = 200;
    nlohmann::json body;
    bool empty = false;  // no body at all
};

Answer envelope(int status, const std::string& message, nlohmann::json data = nullptr);
Answer answer_of(const Error& error);

struct Route {
    std::string method, pattern;  // "/plugins/{plugin}/connections"
    std::function<Result<Answer>(const Services&, const Call&)> handle;
    std::string summary;
};

const std::vector<Route>& routes();

// Finds the route of a request target (with or without the prefix /api) and runs it; 404 where there is none.
Answer dispatch(const Services& services, const std::string& method, const std::string& target, Call call);

// The handlers, by file
std::vector<Route> probe_routes();
std::vector<Route> connection_routes();
std::vector<Route> pipeline_routes();
std::vector<Route> query_routes();

}  // namespace tarn::api
