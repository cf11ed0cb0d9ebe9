// Shapes of bodies and answers, as JSON schemas of OpenAPI 3.0, by name.
//
// `X[]` is a list of X. Names of connector_shapes() stand for one shape a connector, made from its declaration.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "connector/connector.h"

namespace tarn::api {

namespace shape {

using Properties = std::vector<std::pair<std::string, nlohmann::json>>;

nlohmann::json text();
nlohmann::json whole();
nlohmann::json flag();
nlohmann::json time();
nlohmann::json any();
nlohmann::json list(nlohmann::json of);
nlohmann::json nullable(nlohmann::json of);
nlohmann::json named(const std::string& name);  // a reference to another shape
// All properties but the `optional` ones are required.
nlohmann::json object(const Properties& properties, const std::vector<std::string>& optional = {});

}  // namespace shape

// Those that are the same for every connector.
const std::vector<std::pair<std::string, nlohmann::json>>& fixed_shapes();
// Those of one connector: Connection, ConnectionBody, Scope, … as far as it declares them.
std::vector<std::pair<std::string, nlohmann::json>> connector_shapes(const connector::Connector& connector);
// "GithubConnection"
std::string connector_shape_name(const connector::Connector& connector, const std::string& name);

}  // namespace tarn::api
