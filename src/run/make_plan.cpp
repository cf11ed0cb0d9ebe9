#include "run/make_plan.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "run/connection.h"
#include "run/fields.h"
#include "run/git_task.h"
#include "run/project_plan.h"
#include "run/scope_configs.h"
#include "run/scopes.h"
#include "run/stages.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

// ENABLE_SUBTASKS_BY_DEFAULT: `plugin:subtask:true,…` goes before what is declared.
Result<std::map<std::string, bool>> overrides(const Home& home) {
    std::map<std::string, bool> out;
    for (const auto& item : split(home.settings().get("ENABLE_SUBTASKS_BY_DEFAULT"), ',')) {
        auto end = item.rfind(':');
        auto value = end == std::string::npos ? "" : lower(item.substr(end + 1));
        if ((value != "true" && value != "false") || item.find(':') == end)
            return fail(ErrorKind::terminal, "'" + item + "' is not plugin:subtask:true or …:false",
                        "ENABLE_SUBTASKS_BY_DEFAULT", "Correct the setting.");
        out[lower(item.substr(0, end))] = value == "true";
    }
    return out;
}

class Maker {
  public:
    Maker(const Home& home, const Platform& platform, const connector::Connector& connector,
          const std::map<std::string, bool>& overrides, bool skip_collectors)
        : home_(home),
          platform_(platform),
          connector_(connector),
          overrides_(overrides),
          skip_collectors_(skip_collectors) {}

    // Adds the scopes that the stages fill to `filled`.
    Result<Json> stages(const BlueprintConnection& wanted, std::vector<DomainScope>& filled) const {
        Connections connections(connector_, home_.control(), home_.cipher());
        auto where = fmt::format("{} connection {}", connector_.name, wanted.connection_id);
        TARN_ASSIGN(auto connection, connections.find(wanted.connection_id));
        if (!connection) return wrong("connections", "there is no " + where);
        if (wanted.scopes.empty() && !connector_.scope.optional)
            return wrong("connections", "the " + where + " has no scopes: choose at least one");
        Scopes scopes(connector_, home_.control(), home_.environment());
        Json out = Json::array();
        for (const auto& id : wanted.scopes) {
            TARN_ASSIGN(auto scope, scopes.by_id(wanted.connection_id, id));
            if (!scope) return wrong("connections.scopes", "the " + where + " has no scope '" + id + "'");
            TARN_ASSIGN(auto config, scope_config_of(connector_, home_.control(), *scope));
            auto domains = domains_of(config);
            for (auto& domain_scope :
                 domain_scopes(connector_, wanted.connection_id, scopes.id_of(*scope), domains))
                filled.push_back(std::move(domain_scope));
            auto subtasks = subtasks_of(domains);
            Json stage = Json::array();
            if (!subtasks.empty())
                stage.push_back({{"plugin", connector_.name},
                                 {"subtasks", subtasks},
                                 {"options", scopes.options_of(*scope)}});
            if (contains(domains, "CODE") && !skip_collectors_) {
                TARN_ASSIGN(auto git, git_task_of(platform_, connector_, *connection, *scope, config));
                if (git) stage.push_back(std::move(*git));
            }
            if (!stage.empty()) out.push_back(std::move(stage));
        }
        return out;
    }

  private:
    static std::vector<std::string> domains_of(const Json& config) {
        auto entities = config.value("entities", Json());
        if (!entities.is_array() || entities.empty()) return domain_types();
        return entities.get<std::vector<std::string>>();
    }

    [[nodiscard]] std::vector<std::string> subtasks_of(const std::vector<std::string>& domains) const {
        std::vector<std::string> out;
        for (const auto& subtask : connector_.subtasks) {
            auto set = overrides_.find(lower(connector_.name + ":" + subtask.name));
            bool on = set == overrides_.end() ? subtask.enabled : set->second;
            bool gives = std::ranges::any_of(
                subtask.domains, [&](const std::string& domain) { return contains(domains, domain); });
            if (on && gives) out.push_back(subtask.name);
        }
        return out;
    }

    const Home& home_;
    const Platform& platform_;
    const connector::Connector& connector_;
    const std::map<std::string, bool>& overrides_;
    const bool skip_collectors_;
};

// A plugin that has connections but is no connector is posted to: there is nothing to run.
bool is_posted_to(const Platform& platform, const std::string& plugin) {
    return platform.schema().table("_tool_" + plugin + "_connections") != nullptr;
}

}  // namespace

namespace {

Result<Json> collecting_stages(const Home& home, const Platform& platform, const Blueprint& blueprint,
                               std::vector<DomainScope>& filled) {
    TARN_ASSIGN(auto set, overrides(home));
    std::vector<Json> plans;
    for (const auto& connection : blueprint.connections) {
        const auto* loaded = platform.connector(connection.plugin);
        if (loaded == nullptr && is_posted_to(platform, connection.plugin)) {
            for (auto& scope : posted_scopes(connection.plugin, connection.connection_id))
                filled.push_back(std::move(scope));
            continue;
        }
        if (loaded == nullptr)
            return wrong("connections",
                         "there is no plugin '" + connection.plugin + "'; GET /plugins lists them");
        Maker maker(home, platform, loaded->connector, set, blueprint.skip_collectors);
        TARN_ASSIGN(auto stages, maker.stages(connection, filled));
        plans.push_back(std::move(stages));
    }
    return side_by_side(plans);
}

}  // namespace

Result<Json> make_plan(const Home& home, const Platform& platform, const Blueprint& blueprint) {
    std::vector<DomainScope> filled;
    TARN_ASSIGN(auto collected, collecting_stages(home, platform, blueprint, filled));
    if (blueprint.skip_collectors) collected = without_collectors(collected);
    Json out = Json::array();
    if (blueprint.before.is_array()) append(out, blueprint.before);
    if (!blueprint.project.empty()) append(out, mapping_stage(platform, blueprint.project, filled));
    append(out, collected);
    if (!blueprint.project.empty()) {
        TARN_ASSIGN(auto metrics, metric_stages(home, platform, blueprint.project));
        append(out, metrics);
    }
    if (blueprint.after.is_array()) append(out, blueprint.after);
    return out;
}

}  // namespace tarn::run
