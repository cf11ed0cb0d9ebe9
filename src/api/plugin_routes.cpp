// Which plugins there are and what they hold.
#include "api/routes.h"

#include <algorithm>
#include <cctype>

namespace tarn::api {
namespace {

using Json = nlohmann::json;

Json plugin_json(const std::string& name, bool of_projects = false) {
    Json metric = {
        {"requiredDataEntities", nullptr}, {"runAfter", nullptr}, {"isProjectMetric", of_projects}};
    return {{"plugin", name}, {"metric", metric}};
}

Reply<> list_plugins(const Services& services, const Call&) {
    Json out = Json::array();
    for (const auto& loaded : services.platform->connectors()) {
        bool of_projects = std::ranges::find(loaded->connector.options, "projectName",
                                             &connector::Field::name) != loaded->connector.options.end();
        out.push_back(plugin_json(loaded->connector.name, of_projects));
        for (const auto& alias : loaded->connector.aliases) out.push_back(plugin_json(alias));
    }
    out.push_back(plugin_json("webhook"));
    return Answer{.body = out};
}

// As DevLake's Go structures call a column.
std::string go_name(const std::string& column) {
    std::string out;
    bool up = true;
    for (char c : column) {
        if (c != '_') out += up ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        up = c == '_';
    }
    return out;
}

std::string go_type(ColumnType type) {
    switch (type) {
        case ColumnType::bigint:
        case ColumnType::integer:
        case ColumnType::smallint: return "int";
        case ColumnType::ubigint: return "uint";
        case ColumnType::real8:
        case ColumnType::real4: return "float";
        case ColumnType::boolean: return "bool";
        case ColumnType::datetime:
        case ColumnType::date: return "time";
        case ColumnType::blob: return "bytes";
        default: return "string";
    }
}

Json table_json(const Table& table) {
    Json fields = Json::array();
    for (const auto& column : table.columns) {
        fields.push_back({{"name", go_name(column.name)},
                          {"tags", ""},
                          {"db_name", column.name},
                          {"data_type", go_type(column.type)},
                          {"gorm_data_type", go_type(column.type)}});
    }
    return {{"table_name", table.name}, {"field", fields}, {"error", nullptr}};
}

Json info_json(const connector::Connector& connector) {
    Json tables = Json::array(), tasks = Json::array();
    for (const auto& table : connector.tables) tables.push_back(table_json(table));
    for (const auto& subtask : connector.subtasks) {
        tasks.push_back({{"name", subtask.name},
                         {"required", false},
                         {"enabled_by_default", subtask.enabled},
                         {"description", ""},
                         {"domain_types", subtask.domains}});
    }
    return {
        {"name", connector.name}, {"description", connector.title}, {"tables", tables}, {"task_mata", tasks}};
}

Reply<> plugin_info(const Services& services, const Call&) {
    Json domain = Json::array(), plugins = Json::array();
    for (const auto& [name, table] : services.platform->schema().tables()) {
        if (!name.starts_with('_') && !table.control) domain.push_back(table_json(table));
    }
    for (const auto& loaded : services.platform->connectors())
        plugins.push_back(info_json(loaded->connector));
    return Answer{.body = {{"DomainInfos", domain}, {"PluginInfos", plugins}}};
}

}  // namespace

std::vector<Route> plugin_routes() {
    return {
        {.method = "GET",
         .pattern = "/plugins",
         .tag = "plugins",
         .summary = "Plugins by name",
         .handle = list_plugins,
         .answers = {{200, "Plugin[]"}}},
        {.method = "GET",
         .pattern = "/plugininfo",
         .tag = "plugins",
         .summary = "Tables of the domain layer and of the plugins, subtasks",
         .handle = plugin_info,
         .answers = {{200, "PluginInfo"}}},
    };
}

}  // namespace tarn::api
