// Inputs of a connector's selects: options, scope config and environment keys as SQL literals (docs/connectors.md, "Models").
// Thread rule: pure functions.
#pragma once

#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "connector/connector.h"
#include "model/inputs.h"
#include "model/model_set.h"

namespace tarn::connector {

// Value of an environment key, "" where not set.
using Environment = std::function<std::string(const std::string& key)>;
std::string process_environment(const std::string& key);

// What one task gives to a connector.
struct TaskValues {
    std::map<std::string, std::string> options;  // name -> text of the value ("1", "owner/repo")
    std::string params;                          // raw params text
    model::Inputs inputs;                        // literals of everything
};

// `options` and `scope_config` are JSON objects with the API's field names; what is missing or null has its zero value.
// bad_data: a value of the wrong type; a regex that does not compile, with the field and RE2's reason.
Result<TaskValues> task_values(const Connector& connector, const nlohmann::json& options,
                               const nlohmann::json& scope_config, const std::string& endpoint,
                               const Environment& environment);

// What ModelSet::load needs to know of the connector. `schema` must outlive the result and hold the connector's tables.
model::Surroundings surroundings(const Connector& connector, const Schema& schema,
                                 const std::string& functions);

}  // namespace tarn::connector
