#include "api/webhooks.h"

#include <fmt/format.h>

#include "api/keys.h"
#include "base/text.h"
#include "base/time.h"
#include "run/fields.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

constexpr const char* plugin = "webhook";

Webhook webhook_of(const ControlRows& rows, std::size_t row) {
    return {rows.number(row, "id"), rows.text(row, "name"), rows.text(row, "created_at"),
            rows.text(row, "updated_at")};
}

std::string key_extra(std::int64_t id) { return fmt::format("connectionId:{}", id); }

Json endpoints(std::int64_t id) {
    auto base = fmt::format("/rest/plugins/{}/connections/{}/", plugin, id);
    return {{"postIssuesEndpoint", base + "issues"},
            {"closeIssuesEndpoint", base + "issue/:issueKey/close"},
            {"postPullRequestsEndpoint", base + "pull_requests"},
            {"postPipelineTaskEndpoint", base + "cicd_tasks"},
            {"postPipelineDeployTaskEndpoint", base + "deployments"},
            {"closePipelineEndpoint", base + "cicd_pipeline/:pipelineName/finish"}};
}

}  // namespace

Json Webhooks::base_json(const Webhook& webhook) {
    return {{"id", webhook.id},
            {"name", webhook.name},
            {"createdAt", run::api_time(webhook.created_at)},
            {"updatedAt", run::api_time(webhook.updated_at)}};
}

Result<Json> Webhooks::shown(const Webhook& webhook) const {
    auto out = base_json(webhook);
    out.update(endpoints(webhook.id));
    TARN_ASSIGN(auto key, ApiKeys(home_).find_by_name(plugin_key_name(plugin, webhook.id)));
    if (key) out["apiKey"] = *key;
    return out;
}

Result<std::vector<Webhook>> Webhooks::list() const {
    TARN_ASSIGN(auto rows, home_.control().query("select * from _tool_webhook_connections order by id"));
    std::vector<Webhook> out;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) out.push_back(webhook_of(rows, row));
    return out;
}

Result<std::optional<Webhook>> Webhooks::select(const std::string& condition,
                                                const std::vector<ControlValue>& values) const {
    TARN_ASSIGN(auto rows,
                home_.control().query("select * from _tool_webhook_connections where " + condition, values));
    if (rows.rows.empty()) return std::optional<Webhook>();
    return std::optional<Webhook>(webhook_of(rows, 0));
}

Result<std::optional<Webhook>> Webhooks::find(std::int64_t id) const { return select("id = ?", {id}); }

Result<std::optional<Webhook>> Webhooks::find_by_name(const std::string& name) const {
    return select("name = ?", {name});
}

Result<std::string> Webhooks::checked_name(const Json& body, std::int64_t id) const {
    Json name;
    for (const auto& [key, value] : body.items()) {
        if (lower(key) == "name") name = value;
    }
    if (!name.is_string() || trimmed(name.get_ref<const std::string&>()).empty())
        return run::wrong("name", "must be a text that is not empty");
    auto text = name.get<std::string>();
    TARN_TRY(run::check_text({.name = "name", .length = 100}, "name", text));
    TARN_ASSIGN(auto other, find_by_name(text));
    if (other && other->id != id)
        return run::wrong("name", "a webhook with name " + text + " already exists");
    return text;
}

Result<std::int64_t> Webhooks::insert(const std::string& name) const {
    auto now = format_sql(now_millis());
    return home_.control().insert(
        "insert into _tool_webhook_connections (name, created_at, updated_at) values (?, ?, ?)",
        {name, now, now});
}

Result<Json> Webhooks::create(const Json& body) const {
    TARN_ASSIGN(auto name, checked_name(body, 0));
    Json out;
    TARN_TRY(home_.control().transaction([&]() -> Result<> {
        TARN_ASSIGN(auto id, insert(name));
        TARN_ASSIGN(auto key, ApiKeys(home_).create({plugin_key_name(plugin, id), plugin_key_type(plugin),
                                                     fmt::format("/plugins/{}/connections/{}/.*", plugin, id),
                                                     key_extra(id), std::nullopt}));
        TARN_ASSIGN(auto webhook, find(id));
        if (!webhook)
            return fail(ErrorKind::bug, "a saved webhook is not found", "_tool_webhook_connections");
        TARN_ASSIGN(out, shown(*webhook));
        out["apiKey"] = key;
        return {};
    }));
    return out;
}

Result<Webhook> Webhooks::change(const Webhook& stored, const Json& body) const {
    Json named = body;
    bool has_name = false;
    for (const auto& [key, value] : body.items()) has_name = has_name || lower(key) == "name";
    if (!has_name) named["name"] = stored.name;
    Webhook changed = stored;
    TARN_ASSIGN(changed.name, checked_name(named, stored.id));
    changed.updated_at = format_sql(now_millis());
    TARN_TRY(home_.control().run("update _tool_webhook_connections set name = ?, updated_at = ? where id = ?",
                                 {changed.name, changed.updated_at, changed.id}));
    return changed;
}

Result<> Webhooks::remove(std::int64_t id) const {
    auto& control = home_.control();
    return control.transaction([&]() -> Result<> {
        TARN_TRY(control.run("delete from _tool_webhook_connections where id = ?", {id}));
        TARN_TRY(control.run(
            "delete from _devlake_blueprint_connections where plugin_name = ? and connection_id = ?",
            {plugin, id}));
        return ApiKeys(home_).remove_by_extra(plugin_key_type(plugin), key_extra(id));
    });
}

Reply<Webhook> Webhooks::of_project(const std::string& project) const {
    auto& control = home_.control();
    if (project.size() > 100) return run::wrong("projectName", "must not be longer than 100 bytes");
    auto name = project + "_deployments";
    TARN_ASSIGN(auto known, select("name = ? and id in (select c.connection_id from "
                                   "_devlake_blueprint_connections c join _devlake_blueprints b on b.id = "
                                   "c.blueprint_id where c.plugin_name = ? and b.project_name = ?)",
                                   {name, plugin, project}));
    if (known) return *known;
    TARN_ASSIGN(auto projects, control.query("select name from projects where name = ?", {project}));
    if (projects.rows.empty()) return refuse(404, "there is no project '" + project + "'");
    TARN_ASSIGN(auto blueprints,
                control.query("select id from _devlake_blueprints where project_name = ?", {project}));
    if (blueprints.rows.empty()) return refuse(400, "the project '" + project + "' has no blueprint");
    // It may be there without its place in the blueprint.
    TARN_ASSIGN(auto webhook, find_by_name(name));
    TARN_TRY(control.transaction([&]() -> Result<> {
        if (!webhook) {
            TARN_ASSIGN(auto id, insert(name));
            TARN_ASSIGN(webhook, find(id));
        }
        if (!webhook)
            return fail(ErrorKind::bug, "a saved webhook is not found", "_tool_webhook_connections");
        TARN_TRY(control.run(
            "insert into _devlake_blueprint_connections (blueprint_id, plugin_name, connection_id) "
            "values (?, ?, ?)",
            {blueprints.number(0, "id"), plugin, webhook->id}));
        return {};
    }));
    return *webhook;
}

}  // namespace tarn::api
