// Scope configs of all connectors.
#include <fmt/format.h>

#include "api/place.h"
#include "api/references.h"
#include "base/text.h"
#include "run/scope_configs.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;
using run::ScopeConfigs;

ScopeConfigs configs_of(const Services& services, const connector::Connector& connector) {
    return {connector, services.home->control()};
}

Reply<Json> config_of(const Services& services, const Call& call, const connector::Connector& connector) {
    TARN_ASSIGN(auto id, call.id("scopeConfigId"));
    TARN_ASSIGN(auto found, configs_of(services, connector).find(id));
    if (found) return *found;
    return refuse(404, fmt::format("there is no {} scope config {}", connector.name, id));
}

Reply<> list_configs(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto all, configs_of(services, place.connector()).list(place.connection.id));
    return Answer{.body = all};
}

Reply<> create_config(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto body, call.object());
    TARN_ASSIGN(auto made, configs_of(services, place.connector()).create(place.connection.id, body));
    return Answer{.status = 201, .body = made};
}

Reply<> get_config(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto found, config_of(services, call, place.connector()));
    return Answer{.body = found};
}

Reply<> change_config(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto found, config_of(services, call, place.connector()));
    TARN_ASSIGN(auto body, call.object());
    TARN_ASSIGN(auto changed,
                configs_of(services, place.connector()).change(found["id"].get<std::int64_t>(), body));
    return Answer{.body = changed ? *changed : found};
}

Result<std::vector<run::ScopeRow>> scopes_with(const Services& services,
                                               const connector::Connector& connector, const Json& config) {
    TARN_ASSIGN(auto scopes, scopes_of(services, connector).list(config["connectionId"].get<std::int64_t>()));
    std::erase_if(scopes,
                  [&](const auto& row) { return row.value("scope_config_id", Json()) != config["id"]; });
    return scopes;
}

Reply<> delete_config(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto found, config_of(services, call, place.connector()));
    TARN_ASSIGN(auto users, scopes_with(services, place.connector(), found));
    if (!users.empty()) {
        Json shown = Json::array();
        for (const auto& row : users) shown.push_back(scopes_of(services, place.connector()).shown(row));
        return refuse(409, "scopes use this scope config: give them another one first", std::move(shown));
    }
    TARN_TRY(while_idle(services, [&] {
        return configs_of(services, place.connector()).remove(found["id"].get<std::int64_t>());
    }));
    return Answer{.body = found};
}

Reply<> projects_of_config(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* loaded, connector_of(services, call));
    const auto& connector = loaded->connector;
    TARN_ASSIGN(auto config, config_of(services, call, connector));
    TARN_ASSIGN(auto users, scopes_with(services, connector, config));
    TARN_ASSIGN(auto used, blueprint_scopes(services.home->control(), connector,
                                            config["connectionId"].get<std::int64_t>()));
    auto scopes = scopes_of(services, connector);
    std::map<std::string, std::string> names;
    for (const auto& row : users) names[scopes.id_of(row)] = scopes.name_of(row);
    std::map<std::string, Json> projects;
    for (const auto& entry : used) {
        auto scope = names.find(entry.scope_id);
        if (scope == names.end()) continue;
        auto& project = projects[entry.project];
        if (project.is_null())
            project = {
                {"name", entry.project}, {"blueprintId", entry.blueprint_id}, {"scopes", Json::array()}};
        project["scopes"].push_back({{"scopeId", entry.scope_id}, {"scopeName", scope->second}});
    }
    Json list;  // null where there are none, as DevLake has it
    for (auto& [name, project] : projects) list.push_back(std::move(project));
    return Answer{.body = {{"projects", list}, {"count", projects.size()}}};
}

}  // namespace

std::vector<Route> scope_config_routes() {
    const std::string plugin = "/plugins/{plugin}", tag = "scope configs";
    const std::string all = plugin + "/connections/{connectionId}/scope-configs";
    const std::string one = all + "/{scopeConfigId}";
    return {
        {.method = "GET",
         .pattern = all,
         .tag = tag,
         .summary = "Scope configs of a connection, newest first",
         .handle = list_configs,
         .needs = Needs::scope_config,
         .answers = {{200, "ScopeConfig[]"}},
         .refusals = {404}},
        {.method = "POST",
         .pattern = all,
         .tag = tag,
         .summary = "Adds a scope config",
         .handle = create_config,
         .needs = Needs::scope_config,
         .body = "ScopeConfigBody",
         .answers = {{201, "ScopeConfig"}},
         .refusals = {404}},
        {.method = "GET",
         .pattern = one,
         .tag = tag,
         .summary = "One scope config",
         .handle = get_config,
         .needs = Needs::scope_config,
         .answers = {{200, "ScopeConfig"}},
         .refusals = {404}},
        {.method = "PATCH",
         .pattern = one,
         .tag = tag,
         .summary = "Changes a scope config",
         .handle = change_config,
         .needs = Needs::scope_config,
         .body = "ScopeConfigPatch",
         .answers = {{200, "ScopeConfig"}},
         .refusals = {404}},
        {.method = "DELETE",
         .pattern = one,
         .tag = tag,
         .summary = "Deletes a scope config; not while scopes use it",
         .handle = delete_config,
         .needs = Needs::scope_config,
         .answers = {{200, "ScopeConfig"}},
         .refusals = {404, 409}},
        {.method = "GET",
         .pattern = plugin + "/scope-config/{scopeConfigId}/projects",
         .tag = tag,
         .summary = "Projects whose scopes use a scope config",
         .handle = projects_of_config,
         .needs = Needs::scope_config,
         .answers = {{200, "ConfigProjects"}},
         .refusals = {404}},
    };
}

}  // namespace tarn::api
