// Steps for blueprints, their plans and scopes, scope configs, and single values.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "upgrade/blueprint_rules.h"
#include "upgrade/steps.h"

namespace tarn::upgrade {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* blueprints = "_devlake_blueprints";
constexpr const char* settings_column = "settings";

Result<Json> json_of(const Context& context, const std::string& stored) {
    auto text = opened(context.cipher, stored);
    if (!text)
        return fail(ErrorKind::terminal, "the settings of a blueprint cannot be opened with this key",
                    blueprints, "Give the key of the old instance (ENCODE_KEY or ENCRYPTION_SECRET).");
    auto json = Json::parse(text->empty() ? "{}" : *text, nullptr, false);
    return json.is_object() ? json : Json::object();
}

std::string text_of(const Json& object, const char* name) {
    auto found = object.find(name);
    if (found == object.end() || found->is_null()) return {};
    return found->is_string() ? found->get<std::string>() : found->dump();
}

// ---- settings of a blueprint become rows

Result<> add_row(Context& context, const std::string& table, const std::vector<std::string>& columns,
                 const std::vector<ControlValue>& values) {
    std::vector<std::string> same;
    for (const auto& column : columns) same.push_back(column + " = ?");
    TARN_ASSIGN(auto known,
                context.database.connection().query(
                    fmt::format("select 1 as n from {} where {}", table, join(same, " and ")), values));
    if (!known.rows.empty()) return {};
    return context.database.run(insert_of(table, columns), values);
}

Result<> add_connection(Context& context, std::int64_t id, const Json& connection) {
    auto plugin = text_of(connection, "plugin");
    auto number = connection.value("connectionId", std::int64_t{0});
    if (plugin.empty()) return {};
    TARN_TRY(add_row(context, "_devlake_blueprint_connections",
                     {"blueprint_id", "plugin_name", "connection_id"}, {id, plugin, number}));
    auto scopes = connection.find("scopes");
    if (scopes == connection.end() || !scopes->is_array()) return {};
    for (const auto& scope : *scopes) {
        auto scope_id = scope.is_object() ? text_of(scope, "id") : std::string();
        if (!scope_id.empty())
            TARN_TRY(add_row(context, "_devlake_blueprint_scopes",
                             {"blueprint_id", "plugin_name", "connection_id", "scope_id"},
                             {id, plugin, number, scope_id}));
    }
    return {};
}

Result<> seal_plan(Context& context, std::int64_t id, const Json& settings, const char* name) {
    auto plan = settings.find(name);
    if (plan == settings.end() || plan->is_null() || plan->empty()) return {};
    TARN_ASSIGN(auto sealed,
                context.cipher.encrypt(plan->is_string() ? plan->get<std::string>() : plan->dump()));
    return context.database.run(fmt::format("update {} set {} = ? where id = ?", blueprints, name),
                                {sealed, id});
}

// "2022-10-01T00:00:00Z" as the tables have it; "" where it is none
std::string time_of(const Json& settings) {
    auto text = text_of(settings, "timeAfter");
    if (text.empty()) text = text_of(settings, "createdDateAfter");
    Millis time = 0;
    return !text.empty() && parse_time(text, time) == Parsed::ok ? format_sql(time) : std::string();
}

// Scopes of the first form of settings were options of another kind: only the plan they led to can go on.
bool is_first_form(const Json& settings) {
    for (const auto& connection : settings.value("connections", Json::array()))
        if (connection.is_object() && connection.contains("scope")) return true;
    return false;
}

Result<> take_settings(Context& context, std::int64_t id, const Json& settings) {
    for (const auto& connection : settings.value("connections", Json::array()))
        if (connection.is_object()) TARN_TRY(add_connection(context, id, connection));
    if (is_first_form(settings)) {
        TARN_TRY(context.database.run(fmt::format("update {} set mode = 'ADVANCED' where id = ?", blueprints),
                                      {id}));
    } else {
        TARN_TRY(seal_plan(context, id, settings, "before_plan"));
        TARN_TRY(seal_plan(context, id, settings, "after_plan"));
    }
    auto time = time_of(settings);
    if (time.empty()) return {};
    return context.database.run(fmt::format("update {} set time_after = ? where id = ?", blueprints),
                                {time, id});
}

// ---- plans of old releases name what they collect in other words

// "github:GithubRepo:7" is "github:GithubRepo:1:7" now.
bool renew_repo_id(Json& options) {
    auto parts = options.is_object() ? split(text_of(options, "repoId"), ':') : std::vector<std::string>{};
    if (parts.size() != 3) return false;
    options["repoId"] = fmt::format("{}:{}:1:{}", parts[0], parts[1], parts[2]);
    return true;
}

// Up to v0.14 a repository had two names, and a job none with its folders.
bool renew_names(const std::string& plugin, Json& options) {
    if (!options.is_object()) return false;
    if (plugin == "github" && options.contains("owner") && options.contains("repo") &&
        !options.contains("name")) {
        options["name"] = text_of(options, "owner") + "/" + text_of(options, "repo");
        return true;
    }
    if (plugin != "jenkins" || !options.contains("jobName") || options.contains("jobFullName") ||
        options.contains("fullName"))
        return false;
    auto folders = replaced(text_of(options, "jobPath"), "job/", "");
    options["jobFullName"] =
        folders + (folders.empty() || folders.ends_with('/') ? "" : "/") + text_of(options, "jobName");
    return true;
}

bool renew_options(const std::string& plugin, Json& options) {
    if (plugin == "refdiff" || plugin == "gitextractor") return renew_repo_id(options);
    if (!options.is_object() || options.contains("connectionId")) return false;
    if (options.contains("sourceId")) {
        Json renewed = {{"connectionId", options["sourceId"]}};
        for (const auto& [name, value] : options.items())
            if (name != "sourceId") renewed[name] = value;
        options = renewed;
        return true;
    }
    if (plugin == "github" && options.contains("owner") && options.contains("repo")) {
        options = {{"connectionId", 1}, {"name", text_of(options, "owner") + "/" + text_of(options, "repo")}};
        return true;
    }
    if (plugin == "jenkins" || (plugin == "gitlab" && options.contains("projectId"))) {
        options["connectionId"] = 1;
        return true;
    }
    return false;
}

bool renew_plan(Json& plan, bool names_no_connections) {
    bool changed = false;
    if (!plan.is_array()) return false;
    for (auto& stage : plan) {
        if (!stage.is_array()) continue;
        for (auto& task : stage) {
            if (!task.is_object() || !task.contains("options")) continue;
            auto plugin = text_of(task, "plugin");
            if (names_no_connections) changed |= renew_options(plugin, task["options"]);
            changed |= renew_names(plugin, task["options"]);
        }
    }
    return changed;
}

// DevLake's script of the first release whose plans name connections.
constexpr std::int64_t plans_name_connections = 20220716201138;

bool has_old_plans(const Context& context) {
    return !context.scripts.empty() && !context.scripts.contains(plans_name_connections);
}

Result<std::int64_t> renew_plans(Context& context, bool write) {
    std::int64_t count = 0;
    bool old = has_old_plans(context);
    auto column = context.database.has(blueprints, "plan") ? "plan" : "tasks";
    TARN_TRY(each_value(context.database, blueprints, column,
                        [&](std::int64_t, const std::string& stored) -> Result<NewValue> {
                            auto text = opened(context.cipher, stored);
                            if (!text) return NewValue{};
                            auto plan = Json::parse(*text, nullptr, false);
                            if (!renew_plan(plan, old)) return NewValue{};
                            ++count;
                            if (!write) return NewValue{};
                            TARN_ASSIGN(auto sealed, context.cipher.encrypt(plan.dump()));
                            return NewValue{true, sealed};
                        }));
    return count;
}

Result<Due> blueprints_due(Context& context) {
    Due due;
    if (context.database.table(blueprints) == nullptr) return due;
    TARN_ASSIGN(due.rows, renew_plans(context, false));
    if (context.database.has(blueprints, settings_column)) {
        due.tables.emplace_back(blueprints);
        TARN_TRY(each_value(
            context.database, blueprints, settings_column,
            [&](std::int64_t id, const std::string& stored) -> Result<NewValue> {
                TARN_ASSIGN(auto settings, json_of(context, stored));
                ++due.rows;
                if (is_first_form(settings))
                    due.notes.push_back(fmt::format(
                        "Blueprint {} was set up in a form of which only its plan can go on: it "
                        "runs as before, in advanced mode. The transformation rules in it become scope "
                        "configs. To have its scopes on its page, choose them anew.",
                        id));
                return NewValue{};
            }));
    }
    TARN_ASSIGN(auto no_mode, context.database.has(blueprints, "mode")
                                  ? context.database.count(blueprints, "mode is null")
                                  : context.database.count(blueprints));
    due.rows += no_mode;
    if (due.rows > 0 && due.tables.empty()) due.tables.emplace_back(blueprints);
    return due;
}

Result<> bring_blueprints(Context& context) {
    auto& database = context.database;
    TARN_TRY(database.run(fmt::format("update {} set mode = 'ADVANCED' where mode is null", blueprints)));
    TARN_TRY(renew_plans(context, true));
    if (!database.has(blueprints, settings_column)) return {};
    TARN_TRY(each_value(database, blueprints, settings_column,
                        [&](std::int64_t id, const std::string& stored) -> Result<NewValue> {
                            TARN_ASSIGN(auto settings, json_of(context, stored));
                            TARN_TRY(take_settings(context, id, settings));
                            return NewValue{};
                        }));
    return database.drop_column(blueprints, settings_column);
}

// ---- scope configs and scopes

struct Configured {
    std::string configs, scopes;
};

std::vector<Configured> configured(const Context& context) {
    std::vector<Configured> out;
    for (const auto& loaded : context.platform.connectors()) {
        const auto& connector = loaded->connector;
        if (!connector.scope_config.table.empty() && !connector.scope.table.empty())
            out.push_back({connector.scope_config.table, connector.scope.table});
    }
    return out;
}

// A config of no connection, as rules once were, is that of the connection whose scopes use it.
constexpr const char* no_connection = "(connection_id is null or connection_id = 0)";

Result<std::int64_t> lost_configs(Context& context, const Configured& one) {
    auto name = present_name(context, one.configs);
    if (name.empty()) return 0;
    if (!context.database.has(name, "connection_id")) return context.database.count(name);
    return context.database.count(name, no_connection);
}

constexpr const char* repos = "_tool_github_repos";

// Repositories had their full name as name, or a name and an owner.
Result<std::int64_t> short_names(Context& context) {
    if (!context.database.has(repos, "connection_id")) return 0;
    if (!context.database.has(repos, "full_name")) return context.database.count(repos);
    return context.database.count(repos, "full_name is null and name like '%/%'");
}

Result<Due> configs_due(Context& context) {
    Due due;
    for (const auto& one : configured(context)) {
        TARN_ASSIGN(auto lost, lost_configs(context, one));
        if (lost > 0) due.tables.push_back(present_name(context, one.configs));
        due.rows += lost;
    }
    TARN_ASSIGN(auto named, short_names(context));
    if (named > 0) due.tables.emplace_back(repos);
    due.rows += named;
    TARN_ASSIGN(auto rules, rules_due(context));
    if (rules.rows > 0) due.tables.emplace_back(blueprints);
    due.rows += rules.rows;
    due.notes.insert(due.notes.end(), rules.notes.begin(), rules.notes.end());
    return due;
}

Result<> place_configs(Context& context, const Configured& one) {
    auto used = fmt::format("select min(s.connection_id) from {} s where s.scope_config_id = {}.id",
                            one.scopes, one.configs);
    return context.database.run(
        fmt::format("update {0} set connection_id = ({1}) where {2} and exists (select 1 "
                    "from {3} s where s.scope_config_id = {0}.id)",
                    one.configs, used, no_connection, one.scopes));
}

Result<> name_repos(Context& context) {
    auto& database = context.database;
    if (!database.has(repos, "full_name")) return {};
    if (database.has(repos, "owner_login"))
        TARN_TRY(
            database.run(fmt::format("update {} set full_name = concat(owner_login, '/', name) where "
                                     "full_name is null and name not like '%/%' and owner_login <> ''",
                                     repos)));
    auto last = database.is_mysql() ? "substring_index(name, '/', -1)" : "regexp_replace(name, '^.*/', '')";
    return database.run(
        fmt::format("update {} set full_name = name, name = {} where full_name is null and name like '%/%'",
                    repos, last));
}

Result<> bring_configs(Context& context) {
    for (const auto& one : configured(context)) TARN_TRY(place_configs(context, one));
    TARN_TRY(name_repos(context));
    return bring_rules(context);
}

// ---- values that stood for others

struct Value {
    const char *table, *column, *from, *to;  // from: a condition
};

const std::vector<Value>& old_values() {
    static const std::vector<Value> all = {
        {blueprints, "is_manual", "is_manual is null", "{false}"},
        {blueprints, "project_name", "project_name is null", "''"},
        {blueprints, "priority", "priority is null", "0"},
        {"_devlake_pipelines", "priority", "priority is null", "0"},
        {"project_metric_settings", "enable", "enable is null", "{true}"},
        {"_tool_github_connections", "auth_method", "auth_method is null or auth_method = ''",
         "'AccessToken'"},
        {"_tool_github_connections", "enable_graphql", "enable_graphql is null", "{true}"},
        {"_tool_jira_connections", "auth_method", "auth_method is null or auth_method = ''", "'BasicAuth'"},
    };
    return all;
}

std::string literal(const Context& context, std::string text) {
    bool mysql = context.database.is_mysql();
    text = replaced(std::move(text), "{true}", mysql ? "1" : "true");
    return replaced(std::move(text), "{false}", mysql ? "0" : "false");
}

Result<Due> values_due(Context& context) {
    Due due;
    for (const auto& value : old_values()) {
        auto name = present_name(context, value.table);
        if (name.empty()) continue;
        TARN_ASSIGN(auto rows, context.database.has(name, value.column)
                                   ? context.database.count(name, value.from)
                                   : context.database.count(name));
        due.rows += rows;
        if (rows > 0 && !contains(due.tables, name)) due.tables.push_back(name);
    }
    return due;
}

Result<> renew_values(Context& context) {
    for (const auto& value : old_values())
        if (context.database.has(value.table, value.column))
            TARN_TRY(context.database.run(fmt::format("update {} set {} = {} where {}", value.table,
                                                      value.column, literal(context, value.to), value.from)));
    return {};
}

}  // namespace

Step configs_step() {
    return {"5 scope configs", "Scope configs get their connection, repositories their full name",
            configs_due, bring_configs};
}

Step blueprints_step() {
    return {"6 blueprints", "Settings of blueprints become rows, old plans name connections", blueprints_due,
            bring_blueprints};
}

Step values_step() {
    return {"8 values", "Values that were left out get their defaults", values_due, renew_values};
}

}  // namespace tarn::upgrade
