// What a project adds to the plan of its blueprint: before anything is collected the stage that notes which scopes it has, at the end those
// of its metrics.
//
// Metrics stand side by side; each task has the project's name, and of the metric's settings the options that its plugin declares.
// Thread rule: any thread. Errors: bad_data with the setting or scope that is wrong; those of the control store.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "run/blueprints.h"

namespace tarn::run {

// A scope in the domain layer, as [{table, rowId}].
struct DomainScope {
    std::string table, row_id;
};

// Of a scope whose config wants these domain types. A plugin that is posted to has its connection as the one scope.
std::vector<DomainScope> domain_scopes(const connector::Connector& connector, std::int64_t connection_id,
                                       const std::string& scope_id, const std::vector<std::string>& domains);
std::vector<DomainScope> posted_scopes(const std::string& plugin, std::int64_t connection_id);

// The stage that notes a project's scopes: a list of one stage, or of none where no plugin keeps them.
nlohmann::json mapping_stage(const Platform& platform, const std::string& project,
                             const std::vector<DomainScope>& scopes);
// A metric's stages for a project, by what its connector.yaml declares; `settings`: an object.
Result<nlohmann::json> stages_of(const Platform& platform, const std::string& metric,
                                 const std::string& project, const nlohmann::json& settings);
// The stages of the project's metrics that are on.
Result<nlohmann::json> metric_stages(const Home& home, const Platform& platform, const std::string& project);

}  // namespace tarn::run
