#include "api/shapes.h"

#include <algorithm>

#include "api/posted_rows.h"
#include "base/text.h"
#include "run/scope_configs.h"

namespace tarn::api {

using Json = nlohmann::json;

namespace shape {

Json text() { return {{"type", "string"}}; }
Json whole() { return {{"type", "integer"}, {"format", "int64"}}; }
Json flag() { return {{"type", "boolean"}}; }
Json time() { return {{"type", "string"}, {"format", "date-time"}}; }
Json any() { return Json::object(); }
Json list(Json of) { return {{"type", "array"}, {"items", std::move(of)}}; }
Json named(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }

Json nullable(Json of) {
    if (of.contains("$ref")) return {{"nullable", true}, {"allOf", Json::array({std::move(of)})}};
    of["nullable"] = true;
    return of;
}

Json object(const Properties& properties, const std::vector<std::string>& optional) {
    Json out = {{"type", "object"}, {"properties", Json::object()}};
    Json required = Json::array();
    for (const auto& [name, schema] : properties) {
        out["properties"][name] = schema;
        if (!contains(optional, name)) required.push_back(name);
    }
    if (!required.empty()) out["required"] = std::move(required);
    return out;
}

}  // namespace shape

namespace {

using namespace shape;

Json number() { return {{"type", "number"}}; }

Properties origin_and_times() {
    return {{"createdAt", nullable(time())}, {"updatedAt", nullable(time())}, {"_raw_data_params", text()},
            {"_raw_data_table", text()},     {"_raw_data_id", whole()},       {"_raw_data_remark", text()}};
}

Json with(Properties properties, const Properties& more) {
    properties.insert(properties.end(), more.begin(), more.end());
    return object(properties);
}

// Which of the texts a file wants is for its declaration to say.
Json csv_form() {
    Properties texts = {{"file", {{"type", "string"}, {"format", "binary"}}}};
    std::vector<std::string> optional;
    for (const auto* name : {"boardId", "boardName", "qaProjectId", "qaProjectName", "incremental"}) {
        texts.emplace_back(name, text());
        optional.emplace_back(name);
    }
    return object(texts, optional);
}

Json number_shape(const Properties& more) {
    Properties properties = {{"metric", text()}, {"version", whole()}, {"title", text()}, {"unit", text()}};
    properties.insert(properties.end(), more.begin(), more.end());
    return object(properties);
}

Properties measured() {
    return {{"project", text()},
            {"value", nullable(number())},
            {"levels", Json{{"type", "object"}}},
            {"more", Json{{"type", "object"}}}};
}

Json explained_number() {
    auto properties = measured();
    for (const auto& [name, schema] : Properties{{"definition", text()},
                                                 {"from", time()},
                                                 {"to", time()},
                                                 {"row_count", whole()},
                                                 {"rows", list(Json{{"type", "object"}})}})
        properties.emplace_back(name, schema);
    return number_shape(properties);
}

Json custom_field(bool shown) {
    Json type = text();
    if (!shown) type["enum"] = {"varchar(255)", "text", "bigint", "float", "timestamp"};
    Properties properties = {
        {"columnName", text()}, {"displayName", text()}, {"dataType", type}, {"description", text()}};
    if (shown) properties.emplace_back("isCustomizedField", flag());
    return object(properties, {"description"});
}

Json posted(const std::vector<PostedField>& fields, const Properties& more = {}) {
    Properties properties = more;
    std::vector<std::string> optional;
    for (const auto& field : fields) {
        Json schema = text();
        if (field.kind == PostedKind::time) schema = time();
        if (field.kind == PostedKind::whole) schema = whole();
        if (field.kind == PostedKind::real) schema = number();
        if (field.kind == PostedKind::flag) schema = flag();
        if (!field.choices.empty()) schema["enum"] = field.choices;
        if (!field.otherwise.empty()) schema["default"] = field.otherwise;
        properties.emplace_back(field.name, schema);
        if (!field.required) optional.push_back(field.name);
    }
    return object(properties, optional);
}

Json table_info() {
    auto field = object({{"name", text()},
                         {"tags", text()},
                         {"db_name", text()},
                         {"data_type", text()},
                         {"gorm_data_type", text()}});
    return object({{"table_name", text()}, {"field", list(field)}, {"error", nullable(text())}});
}

Json plugin_info() {
    auto task = object({{"name", text()},
                        {"required", flag()},
                        {"enabled_by_default", flag()},
                        {"description", text()},
                        {"domain_types", list(text())}});
    auto plugin = object({{"name", text()},
                          {"description", text()},
                          {"tables", list(named("TableInfo"))},
                          {"task_mata", nullable(list(task))}});
    return object({{"DomainInfos", list(named("TableInfo"))}, {"PluginInfos", list(plugin)}});
}

Json webhook(bool whole_one) {
    Properties properties = {{"id", whole()}, {"name", text()}, {"createdAt", time()}, {"updatedAt", time()}};
    if (!whole_one) return object(properties);
    for (const auto* name :
         {"postIssuesEndpoint", "closeIssuesEndpoint", "postPullRequestsEndpoint", "postPipelineTaskEndpoint",
          "postPipelineDeployTaskEndpoint", "closePipelineEndpoint"})
        properties.emplace_back(name, text());
    properties.emplace_back("apiKey", named("ApiKey"));
    return object(properties, {"apiKey"});
}

Json api_key() {
    return object({{"id", whole()},
                   {"createdAt", time()},
                   {"updatedAt", time()},
                   {"creator", text()},
                   {"creatorEmail", text()},
                   {"updater", text()},
                   {"updaterEmail", text()},
                   {"name", text()},
                   {"apiKey", text()},
                   {"expiredAt", nullable(time())},
                   {"allowedPath", text()},
                   {"type", text()},
                   {"extra", text()}},
                  {"apiKey"});
}

Json api_key_body() {
    Json name = text(), type = text(), path = text();
    name["minLength"] = type["minLength"] = path["minLength"] = 1;
    name["maxLength"] = path["maxLength"] = 255;
    type["maxLength"] = 40;
    path["description"] = "A regular expression, looked for in the path without /rest";
    return object({{"name", name}, {"type", type}, {"allowedPath", path}, {"expiredAt", nullable(time())}},
                  {"expiredAt"});
}

Json plan() {
    auto task = object({{"plugin", text()},
                        {"subtasks", nullable(list(text()))},
                        {"options", nullable(Json{{"type", "object"}})}},
                       {"subtasks", "options"});
    return list(list(task));
}

Json pipeline() {
    return object({{"id", whole()},
                   {"createdAt", nullable(time())},
                   {"updatedAt", nullable(time())},
                   {"name", text()},
                   {"blueprintId", whole()},
                   {"plan", any()},
                   {"totalTasks", whole()},
                   {"finishedTasks", whole()},
                   {"beganAt", nullable(time())},
                   {"finishedAt", nullable(time())},
                   {"status", text()},
                   {"message", text()},
                   {"errorName", text()},
                   {"spentSeconds", whole()},
                   {"stage", whole()},
                   {"labels", list(text())},
                   {"priority", whole()},
                   {"skipOnFail", flag()},
                   {"timeAfter", nullable(time())},
                   {"skipCollectors", flag()},
                   {"fullSync", flag()}});
}

Json task() {
    return object({{"id", whole()},
                   {"createdAt", nullable(time())},
                   {"updatedAt", nullable(time())},
                   {"plugin", text()},
                   {"subtasks", nullable(list(text()))},
                   {"options", any()},
                   {"status", text()},
                   {"message", text()},
                   {"errorName", text()},
                   {"progress", number()},
                   {"progressDetail", any()},
                   {"failedSubTask", text()},
                   {"pipelineId", whole()},
                   {"pipelineRow", whole()},
                   {"pipelineCol", whole()},
                   {"beganAt", nullable(time())},
                   {"finishedAt", nullable(time())},
                   {"spentSeconds", whole()}});
}

Json blueprint() {
    return object({{"id", whole()},
                   {"createdAt", nullable(time())},
                   {"updatedAt", nullable(time())},
                   {"name", text()},
                   {"projectName", text()},
                   {"mode", text()},
                   {"plan", any()},
                   {"enable", flag()},
                   {"cronConfig", text()},
                   {"isManual", flag()},
                   {"nextRun", nullable(time())},
                   {"beforePlan", any()},
                   {"afterPlan", any()},
                   {"labels", nullable(list(text()))},
                   {"connections", nullable(list(any()))},
                   {"priority", whole()},
                   {"skipOnFail", flag()},
                   {"timeAfter", nullable(time())},
                   {"skipCollectors", flag()},
                   {"fullSync", flag()}});
}

// `change`: nothing is required.
Json blueprint_body(bool change) {
    auto scope = object({{"scopeId", text()}});
    auto connection = object(
        {{"pluginName", text()}, {"connectionId", whole()}, {"scopes", nullable(list(scope))}}, {"scopes"});
    Json name = text();
    name["maxLength"] = 255;
    std::vector<std::string> optional = {
        "projectName", "plan",        "enable",   "cronConfig", "isManual",  "beforePlan",     "afterPlan",
        "labels",      "connections", "priority", "skipOnFail", "timeAfter", "skipCollectors", "fullSync"};
    if (change) optional.insert(optional.end(), {"name", "mode"});
    return object({{"name", name},
                   {"mode", Json{{"type", "string"}, {"enum", {"NORMAL", "ADVANCED"}}}},
                   {"projectName", text()},
                   {"plan", nullable(plan())},
                   {"enable", flag()},
                   {"cronConfig", text()},
                   {"isManual", flag()},
                   {"beforePlan", nullable(plan())},
                   {"afterPlan", nullable(plan())},
                   {"labels", nullable(list(text()))},
                   {"connections", nullable(list(connection))},
                   {"priority", whole()},
                   {"skipOnFail", flag()},
                   {"timeAfter", nullable(time())},
                   {"skipCollectors", flag()},
                   {"fullSync", flag()}},
                  optional);
}

Json metric_setting() {
    return object({{"pluginName", text()}, {"pluginOption", any()}, {"enable", flag()}},
                  {"pluginOption", "enable"});
}

Json project() {
    Properties properties = origin_and_times();
    properties.insert(properties.begin(), {{"name", text()}, {"description", text()}});
    properties.emplace_back("metrics", nullable(list(named("MetricSetting"))));
    properties.emplace_back("blueprint", nullable(named("Blueprint")));
    properties.emplace_back("lastPipeline", named("Pipeline"));
    return object(properties, {"lastPipeline"});
}

Json project_body() {
    Json name = text();
    name["maxLength"] = 100;
    return object({{"name", name},
                   {"description", text()},
                   {"enable", flag()},
                   {"metrics", nullable(list(named("MetricSetting")))},
                   {"blueprint", nullable(named("BlueprintBody"))}},
                  {"name", "description", "enable", "metrics", "blueprint"});
}

Json subtasks() {
    auto detail = object({{"id", whole()},
                          {"createdAt", nullable(time())},
                          {"updatedAt", nullable(time())},
                          {"taskId", whole()},
                          {"name", text()},
                          {"number", whole()},
                          {"beganAt", nullable(time())},
                          {"finishedAt", nullable(time())},
                          {"spentSeconds", whole()},
                          {"finishedRecords", whole()},
                          {"sequence", whole()},
                          {"isCollector", flag()},
                          {"isFailed", flag()},
                          {"message", text()}});
    auto item = object({{"id", whole()},
                        {"pipelineId", whole()},
                        {"createdAt", nullable(time())},
                        {"updatedAt", nullable(time())},
                        {"beganAt", nullable(time())},
                        {"finishedAt", nullable(time())},
                        {"plugin", text()},
                        {"options", any()},
                        {"status", text()},
                        {"failedSubTask", text()},
                        {"message", text()},
                        {"errorName", text()},
                        {"spentSeconds", whole()},
                        {"subtaskDetails", nullable(list(detail))}});
    return object({{"subtasks", nullable(list(item))},
                   {"completionRate", number()},
                   {"status", text()},
                   {"count", whole()}});
}

Json task_counts() {
    auto stream = object(
        {{"name", text()}, {"sourceSaid", nullable(whole())}, {"seen", whole()}, {"requests", whole()}});
    auto table = object({{"name", text()}, {"added", whole()}, {"changed", whole()}, {"deleted", whole()}});
    auto task = object({{"taskId", whole()},
                        {"plugin", text()},
                        {"requests", whole()},
                        {"milliseconds", whole()},
                        {"putAside", whole()},
                        {"streams", list(stream)},
                        {"tables", list(table)},
                        {"problems", list(text())}});
    return object({{"tasks", list(task)}});
}

Properties run_shapes() {
    return {
        {"Project", project()},
        {"Projects", object({{"projects", list(named("Project"))}, {"count", whole()}})},
        {"ProjectBody", project_body()},
        {"ProjectCheck", object({{"exist", flag()}})},
        {"MetricSetting", metric_setting()},
        {"Blueprint", blueprint()},
        {"Blueprints", object({{"blueprints", list(named("Blueprint"))}, {"count", whole()}})},
        {"BlueprintBody", blueprint_body(false)},
        {"BlueprintChange", blueprint_body(true)},
        {"TriggerBody",
         object({{"skipCollectors", flag()}, {"fullSync", flag()}}, {"skipCollectors", "fullSync"})},
        {"Subtasks", subtasks()},
        {"TaskCounts", task_counts()},
        {"Estimate",
         object(
             {{"tasks", whole()}, {"unknownTasks", whole()}, {"requests", whole()}, {"seconds", number()}})}};
}

Json config_projects() {
    auto scope = object({{"scopeId", text()}, {"scopeName", text()}});
    auto project = object({{"name", text()}, {"blueprintId", whole()}, {"scopes", list(scope)}});
    return object({{"projects", nullable(list(project))}, {"count", whole()}});
}

Json envelope_shape(const Properties& more = {}) {
    return with({{"code", whole()},
                 {"success", flag()},
                 {"message", text()},
                 {"causes", nullable(list(text()))},
                 {"data", any()}},
                more);
}

Json repos() {
    auto repo = with({{"id", text()},
                      {"name", text()},
                      {"url", text()},
                      {"description", text()},
                      {"owner_id", text()},
                      {"language", text()},
                      {"forked_from", text()},
                      {"created_date", nullable(time())},
                      {"updated_date", nullable(time())},
                      {"deleted", flag()}},
                     origin_and_times());
    return object({{"repos", list(repo)}, {"count", whole()}});
}

Properties framework_shapes() {
    auto pipeline_body = object({{"name", text()},
                                 {"plan", plan()},
                                 {"labels", nullable(list(text()))},
                                 {"priority", whole()},
                                 {"skipOnFail", flag()},
                                 {"timeAfter", nullable(time())},
                                 {"skipCollectors", flag()},
                                 {"fullSync", flag()},
                                 {"blueprintId", whole()}},
                                {"name", "labels", "priority", "skipOnFail", "timeAfter", "skipCollectors",
                                 "fullSync", "blueprintId"});
    auto metric = object({{"requiredDataEntities", nullable(list(any()))},
                          {"runAfter", nullable(list(text()))},
                          {"isProjectMetric", flag()}});
    auto column = object({{"name", text()}, {"type", text()}});
    return {{"Any", any()},
            {"Envelope", envelope_shape()},
            {"Version", object({{"version", text()}})},
            {"Plugin", object({{"plugin", text()}, {"metric", metric}})},
            {"TableInfo", table_info()},
            {"PluginInfo", plugin_info()},
            {"Pipeline", pipeline()},
            {"Pipelines", object({{"count", whole()}, {"pipelines", list(named("Pipeline"))}})},
            {"PipelineBody", pipeline_body},
            {"Task", task()},
            {"Tasks", object({{"count", whole()}, {"tasks", nullable(list(named("Task")))}})},
            {"QueryBody", object({{"sql", text()}})},
            {"QueryRows", object({{"columns", list(column)}, {"rows", list(list(any()))}})},
            {"CsvForm", csv_form()},
            {"CustomField", custom_field(true)},
            {"CustomFieldBody", custom_field(false)},
            {"NumberDefinition", number_shape({{"definition", text()}, {"levels", list(text())}})},
            {"ProjectNumbers", object({{"project", text()},
                                       {"from", time()},
                                       {"to", time()},
                                       {"numbers", list(named("ProjectNumber"))}})},
            {"ProjectNumber", number_shape(measured())},
            {"ExplainedNumber", explained_number()},
            {"ApiKey", api_key()},
            {"ApiKeys", object({{"apikeys", list(named("ApiKey"))}, {"count", whole()}})},
            {"ApiKeyBody", api_key_body()},
            {"PushBody", list(Json{{"type", "object"}})},
            {"Pushed", object({{"rowsAffected", whole()}})},
            {"Repos", repos()},
            {"AuthMethods", object({{"apiKey", object({{"enabled", flag()}})}})},
            {"UserInfo", object({{"authenticated", flag()}, {"name", text()}, {"email", text()}})},
            {"LoggedOut", object({{"ok", flag()}})}};
}

Json tested() {
    auto account = object({{"login", text()}});
    auto installations = nullable(list(object({{"id", whole()}, {"account", account}})));
    auto token = object({{"token", text()},
                         {"login", text()},
                         {"success", flag()},
                         {"warning", flag()},
                         {"message", text()},
                         {"installations", installations}});
    auto out = envelope_shape({{"login", text()}, {"warning", flag()}, {"installations", installations}});
    out["properties"]["tokens"] = list(token);
    return out;
}

Properties plugin_shapes() {
    Json name = text();
    name["maxLength"] = 100;
    return {{"Tested", tested()},
            {"Example", object({{"pattern", text()}})},
            {"Expression", object({{"regex", text()}})},
            {"Expressed", object({{"regex", text()}, {"urls", list(text())}})},
            {"Groups", Json{{"type", "object"}}},
            {"Texts", list(text())},
            {"SyncState", object({{"raw_data_table", text()},
                                  {"raw_data_params", text()},
                                  {"latest_success_start", nullable(time())}})},
            {"ConfigProjects", config_projects()},
            {"Webhook", webhook(true)},
            {"WebhookBase", webhook(false)},
            {"WebhookBody", object({{"name", name}})},
            {"PostedDeployment",
             posted(deployment_fields(), {{"deploymentCommits", list(posted(deployment_commit_fields()))}})},
            {"PostedIssue", posted(issue_fields())},
            {"PostedPullRequest", posted(pull_request_fields())}};
}

}  // namespace

const std::vector<std::pair<std::string, Json>>& fixed_shapes() {
    static const Properties all = [] {
        auto made = framework_shapes();
        for (auto& entry : run_shapes()) made.push_back(std::move(entry));
        for (auto& entry : plugin_shapes()) made.push_back(std::move(entry));
        return made;
    }();
    return all;
}

}  // namespace tarn::api
