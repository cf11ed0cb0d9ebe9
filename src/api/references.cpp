#include "api/references.h"

#include "base/text.h"
#include "run/fields.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

// A blueprint may name a connector by an alias.
std::string names_of(const connector::Connector& connector) {
    std::string out = "(" + sql_text(connector.name);
    for (const auto& alias : connector.aliases) out += ", " + sql_text(alias);
    return out + ")";
}

Json users_json(const ControlRows& rows) {
    if (rows.rows.empty()) return nullptr;
    Json blueprints = Json::array(), projects = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        blueprints.push_back(rows.text(row, "name"));
        if (auto project = rows.text(row, "project_name"); !project.empty()) projects.push_back(project);
    }
    return {{"blueprints", blueprints}, {"projects", projects}};
}

Json nullable_time(const ControlRows& rows, std::size_t row, std::string_view column) {
    return rows.is_null(row, column) ? Json() : Json(run::api_time(rows.text(row, column)));
}

Json shown(const ControlRows& rows, std::size_t row) {
    auto flag = [&](std::string_view column) { return rows.number(row, column) != 0; };
    return {{"id", rows.number(row, "id")},
            {"createdAt", nullable_time(rows, row, "created_at")},
            {"updatedAt", nullable_time(rows, row, "updated_at")},
            {"name", rows.text(row, "name")},
            {"projectName", rows.text(row, "project_name")},
            {"mode", rows.text(row, "mode")},
            {"plan", nullptr},
            {"enable", flag("enable")},
            {"cronConfig", rows.text(row, "cron_config")},
            {"isManual", flag("is_manual")},
            {"nextRun", nullptr},
            {"beforePlan", nullptr},
            {"afterPlan", nullptr},
            {"labels", nullptr},
            {"connections", nullptr},
            {"priority", rows.number(row, "priority")},
            {"skipOnFail", flag("skip_on_fail")},
            {"timeAfter", nullable_time(rows, row, "time_after")},
            {"skipCollectors", flag("skip_collectors")},
            {"fullSync", flag("full_sync")}};
}

Result<ControlRows> rows_of_scope(ControlStore& control, const connector::Connector& connector,
                                  std::int64_t connection_id, const std::string& scope_id) {
    return control.query(
        "select distinct b.* from _devlake_blueprints b join _devlake_blueprint_scopes s on "
        "s.blueprint_id = b.id where s.connection_id = ? and s.scope_id = ? and s.plugin_name in " +
            names_of(connector) + " order by b.id",
        {connection_id, scope_id});
}

}  // namespace

Result<Json> connection_users(ControlStore& control, const connector::Connector& connector,
                              std::int64_t connection_id) {
    TARN_ASSIGN(auto rows,
                control.query("select distinct b.id, b.name, b.project_name from _devlake_blueprints b join "
                              "_devlake_blueprint_connections c on c.blueprint_id = b.id where b.mode = "
                              "'NORMAL' and c.connection_id = ? and c.plugin_name in " +
                                  names_of(connector) + " order by b.id",
                              {connection_id}));
    return users_json(rows);
}

Result<Json> scope_users(ControlStore& control, const connector::Connector& connector,
                         std::int64_t connection_id, const std::string& scope_id) {
    TARN_ASSIGN(auto rows, rows_of_scope(control, connector, connection_id, scope_id));
    return users_json(rows);
}

Result<Json> scope_blueprints(ControlStore& control, const connector::Connector& connector,
                              std::int64_t connection_id, const std::string& scope_id) {
    TARN_ASSIGN(auto rows, rows_of_scope(control, connector, connection_id, scope_id));
    Json out = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) out.push_back(shown(rows, row));
    return out;
}

Result<std::vector<BlueprintScope>> blueprint_scopes(ControlStore& control,
                                                     const connector::Connector& connector,
                                                     std::int64_t connection_id) {
    TARN_ASSIGN(auto rows,
                control.query("select b.project_name, b.id, s.scope_id from _devlake_blueprint_scopes s join "
                              "_devlake_blueprints b on b.id = s.blueprint_id where s.connection_id = ? and "
                              "s.plugin_name in " +
                                  names_of(connector) + " order by b.id, s.scope_id",
                              {connection_id}));
    std::vector<BlueprintScope> out;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        out.push_back({rows.text(row, "project_name"), rows.number(row, "id"), rows.text(row, "scope_id")});
    }
    return out;
}

}  // namespace tarn::api
