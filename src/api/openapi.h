// The API's description, made of the route table and the connectors' declarations.
// Thread rule: pure functions.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "run/platform.h"

namespace tarn::api {

// OpenAPI 3.0. A route below /plugins/{plugin}/ stands there once a connector. `server`: "/" or "/api".
nlohmann::json openapi(const run::Platform& platform, const std::string& server);
// docs/api.md: the table of routes
std::string route_page();

}  // namespace tarn::api
