#include "run/project_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "run/fields.h"
#include "run/stages.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

Json options_of(const connector::Connector& plugin, const std::string& project, const Json& settings) {
    Json out = {{"projectName", project}};
    for (const auto& option : plugin.options) {
        auto set = settings.find(option.name);
        if (set != settings.end() && !out.contains(option.name)) out[option.name] = *set;
    }
    return out;
}

// DevLake's clients store "no options" as an empty text.
Result<Json> settings_of(const std::string& text, const std::string& metric) {
    auto settings = Json::parse(text.empty() ? "{}" : text, nullptr, false);
    if (settings.is_null() || (settings.is_string() && settings.get<std::string>().empty()))
        return Json::object();
    if (!settings.is_object())
        return wrong("metrics", "the options of " + metric + " are no JSON object; set them again");
    return settings;
}

}  // namespace

Result<Json> stages_of(const Platform& platform, const std::string& metric, const std::string& project,
                       const Json& settings) {
    const auto* loaded = platform.connector(metric);
    if (loaded == nullptr)
        return wrong("metrics", "there is no metric '" + metric + "'; take it off the project");
    Json out = Json::array();
    for (const auto& stage : loaded->connector.plan) {
        const auto* plugin = platform.connector(stage.plugin);
        if (plugin == nullptr)
            return wrong("metrics", metric + " needs the plugin '" + stage.plugin + "', which is not there");
        const Json& set = stage.plugin == metric ? settings : Json::object();
        Json task = {{"plugin", stage.plugin},
                     {"subtasks", stage.subtasks},
                     {"options", options_of(plugin->connector, project, set)}};
        out.push_back(Json::array({std::move(task)}));
    }
    return out;
}

std::vector<DomainScope> domain_scopes(const connector::Connector& connector, std::int64_t connection_id,
                                       const std::string& scope_id, const std::vector<std::string>& domains) {
    std::vector<DomainScope> out;
    for (const auto& [table, gives] : connector.scope.domain_tables) {
        bool wanted =
            std::ranges::any_of(gives, [&](const auto& domain) { return contains(domains, domain); });
        if (wanted)
            out.push_back(
                {table, fmt::format("{}:{}:{}", connector.scope.domain_id, connection_id, scope_id)});
    }
    return out;
}

std::vector<DomainScope> posted_scopes(const std::string& plugin, std::int64_t connection_id) {
    std::vector<DomainScope> out;
    for (const auto* table : {"repos", "boards", "cicd_scopes"})
        out.push_back({table, fmt::format("{}:{}", plugin, connection_id)});
    return out;
}

Json mapping_stage(const Platform& platform, const std::string& project,
                   const std::vector<DomainScope>& scopes) {
    Json out = Json::array();
    Json list = Json::array();
    for (const auto& scope : scopes) list.push_back({{"table", scope.table}, {"rowId", scope.row_id}});
    for (const auto& loaded : platform.connectors()) {
        const auto& mapping = loaded->connector.mapping;
        if (mapping.subtask.empty()) continue;
        Json projects = Json::array({{{"projectName", project}, {"scopes", list}}});
        Json task = {{"plugin", loaded->connector.name},
                     {"subtasks", {mapping.subtask}},
                     {"options", {{mapping.option, std::move(projects)}}}};
        out.push_back(Json::array({std::move(task)}));
    }
    return out;
}

Result<Json> metric_stages(const Home& home, const Platform& platform, const std::string& project) {
    TARN_ASSIGN(auto rows,
                home.control().query("select plugin_name, plugin_option from project_metric_settings where "
                                     "project_name = ? and enable = true order by plugin_name",
                                     {project}));
    std::vector<Json> plans;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        auto metric = rows.text(row, "plugin_name");
        TARN_ASSIGN(auto settings, settings_of(rows.text(row, "plugin_option"), metric));
        TARN_ASSIGN(auto stages, stages_of(platform, metric, project, settings));
        plans.push_back(std::move(stages));
    }
    return side_by_side(plans);
}

}  // namespace tarn::run
