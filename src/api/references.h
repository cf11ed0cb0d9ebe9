// Which blueprints use a connection, a scope, a scope config.
// Thread rule: any thread. Errors: those of the control store.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "connector/connector.h"
#include "store/control.h"

namespace tarn::api {

// {"blueprints": [names], "projects": [names]}, null where there are none: the `data` of a 409.
Result<nlohmann::json> connection_users(ControlStore& control, const connector::Connector& connector,
                                        std::int64_t connection_id);
Result<nlohmann::json> scope_users(ControlStore& control, const connector::Connector& connector,
                                   std::int64_t connection_id, const std::string& scope_id);
// The blueprints of a scope as a list of scopes shows them: without plans.
Result<nlohmann::json> scope_blueprints(ControlStore& control, const connector::Connector& connector,
                                        std::int64_t connection_id, const std::string& scope_id);

struct BlueprintScope {
    std::string project;
    std::int64_t blueprint_id = 0;
    std::string scope_id;
};
Result<std::vector<BlueprintScope>> blueprint_scopes(ControlStore& control,
                                                     const connector::Connector& connector,
                                                     std::int64_t connection_id);

}  // namespace tarn::api
