#include "run/blueprints.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "run/body.h"
#include "run/cron.h"
#include "run/fields.h"
#include "run/make_plan.h"
#include "run/sealed_url.h"
#include "run/stages.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_name = 255, longest_label = 191;

Json time_json(const std::string& text) { return text.empty() ? Json() : Json(api_time(text)); }

std::string next_run(const Blueprint& blueprint) {
    if (!blueprint.enable || blueprint.manual) return {};
    auto cron = Cron::parse(blueprint.cron);
    auto next = cron ? cron->next(now_millis()) : std::nullopt;
    return next ? format_sql(*next) : std::string();
}

Result<std::vector<BlueprintConnection>> connections_of(const Json& list) {
    std::vector<BlueprintConnection> out;
    if (list.is_null()) return out;
    if (!list.is_array()) return wrong("connections", "must be a list of connections with scopes");
    std::set<std::pair<std::string, std::int64_t>> met;
    for (const auto& item : list) {
        auto body = Body::make(item);
        if (!body) return wrong("connections", "must be a list of objects");
        BlueprintConnection connection;
        TARN_ASSIGN(connection.plugin, body->text("pluginName", longest_name));
        TARN_ASSIGN(connection.connection_id, body->number("connectionId"));
        if (connection.plugin.empty()) return wrong("connections.pluginName", "must be set");
        if (!met.emplace(connection.plugin, connection.connection_id).second)
            return wrong("connections", fmt::format("the {} connection {} is named twice", connection.plugin,
                                                    connection.connection_id));
        const auto& scopes = body->at("scopes");
        if (!scopes.is_null() && !scopes.is_array()) return wrong("connections.scopes", "must be a list");
        for (const auto& scope : scopes) {
            auto named = Body::make(scope);
            if (!named) return wrong("connections.scopes", "must be a list of objects with scopeId");
            const auto& id = named->at("scopeId");
            auto text = id.is_number_integer() ? id.dump() : id.is_string() ? id.get<std::string>() : "";
            if (text.empty() || text.size() > longest_name)
                return wrong("connections.scopes.scopeId", "must be the id of a scope");
            if (!contains(connection.scopes, text)) connection.scopes.push_back(text);
        }
        out.push_back(std::move(connection));
    }
    return out;
}

Json connections_json(const Blueprint& blueprint) {
    Json out = Json::array();
    for (const auto& connection : blueprint.connections) {
        Json scopes = Json::array();
        for (const auto& scope : connection.scopes) scopes.push_back({{"scopeId", scope}});
        out.push_back({{"pluginName", connection.plugin},
                       {"connectionId", connection.connection_id},
                       {"scopes", std::move(scopes)}});
    }
    return out;
}

Result<std::string> type_condition(const std::string& type) {
    if (type.empty() || type == "ALL") return "true";
    if (type == "MANUAL") return "is_manual = true";
    std::vector<std::pair<std::string, std::string>> usual = {
        {"DAILY", "'0 0 * * *'"}, {"WEEKLY", "'0 0 * * 1'"}, {"MONTHLY", "'0 0 1 * *'"}};
    std::vector<std::string> lines;
    for (const auto& [name, line] : usual) {
        if (type == name) return "is_manual = false and cron_config = " + line;
        lines.push_back(line);
    }
    if (type == "CUSTOM") return "is_manual = false and cron_config not in (" + join(lines, ", ") + ")";
    return wrong("type", "must be ALL, MANUAL, DAILY, WEEKLY, MONTHLY or CUSTOM");
}

}  // namespace

// ---- checks

Result<Blueprint> Blueprints::overlaid(Blueprint made, const Json& json) const {
    TARN_ASSIGN(auto body, Body::make(json));
    auto text = [&](const char* name, std::string& out, std::size_t most) -> Result<> {
        if (!body.names(name)) return {};
        TARN_ASSIGN(out, body.text(name, most));
        return {};
    };
    auto flag = [&](const char* name, bool& out) -> Result<> {
        if (!body.names(name)) return {};
        TARN_ASSIGN(out, body.flag(name));
        return {};
    };
    TARN_TRY(text("name", made.name, longest_name));
    TARN_TRY(text("projectName", made.project, longest_name));
    TARN_TRY(text("mode", made.mode, longest_name));
    TARN_TRY(text("cronConfig", made.cron, longest_name));
    TARN_TRY(flag("enable", made.enable));
    TARN_TRY(flag("isManual", made.manual));
    TARN_TRY(flag("skipOnFail", made.skip_on_fail));
    TARN_TRY(flag("skipCollectors", made.skip_collectors));
    TARN_TRY(flag("fullSync", made.full_sync));
    if (body.names("plan")) made.plan = unmasked_urls(body.at("plan"), made.plan);
    if (body.names("beforePlan")) made.before = unmasked_urls(body.at("beforePlan"), made.before);
    if (body.names("afterPlan")) made.after = unmasked_urls(body.at("afterPlan"), made.after);
    if (body.names("timeAfter")) {
        TARN_ASSIGN(made.time_after, body.time("timeAfter"));
    }
    if (body.names("priority")) {
        TARN_ASSIGN(made.priority, body.number("priority"));
    }
    if (body.names("labels")) {
        TARN_ASSIGN(made.labels, body.texts("labels", longest_label));
    }
    if (body.names("connections")) {
        TARN_ASSIGN(made.connections, connections_of(body.at("connections")));
    }
    if (lower(made.cron) == "manual") made.manual = true;
    return made;
}

Result<> Blueprints::check_project(const Blueprint& blueprint) const {
    if (blueprint.project.empty()) return {};
    TARN_ASSIGN(auto projects,
                home_.control().query("select name from projects where name = ?", {blueprint.project}));
    if (projects.rows.empty()) return wrong("projectName", "there is no project '" + blueprint.project + "'");
    TARN_ASSIGN(auto others,
                home_.control().query("select name from _devlake_blueprints where project_name = "
                                      "? and id <> ?",
                                      {blueprint.project, blueprint.id}));
    if (others.rows.empty()) return {};
    return wrong("projectName", fmt::format("the project '{}' has the blueprint '{}' already",
                                            blueprint.project, others.text(0, "name")));
}

Result<> Blueprints::check(const Blueprint& blueprint) const {
    if (blueprint.name.empty()) return wrong("name", "must be set");
    if (blueprint.mode != "NORMAL" && !blueprint.advanced())
        return wrong("mode", "must be NORMAL or ADVANCED");
    TARN_TRY(check_project(blueprint));
    if (!blueprint.manual) TARN_TRY(Cron::parse(blueprint.cron));
    auto written = [&](const char* name, const Json& stages) -> Result<> {
        if (stages.is_null()) return {};
        TARN_TRY(check_stages(stages, name));
        return check_plugins(stages, name, platform_);
    };
    TARN_TRY(written("beforePlan", blueprint.before));
    TARN_TRY(written("afterPlan", blueprint.after));
    if (!blueprint.advanced()) return {};
    if (blueprint.plan.is_null() || blueprint.plan.empty())
        return wrong("plan", "an ADVANCED blueprint needs a plan");
    return written("plan", blueprint.plan);
}

// ---- rows

Json Blueprints::read_plan(const ControlRows& rows, std::size_t row, const char* column,
                           std::optional<Error>& unreadable) const {
    auto stored = rows.text(row, column);
    if (stored.empty()) return Json();
    auto text = home_.cipher().decrypt(stored);
    // An old migration of Apache DevLake left some in clear text.
    auto json = Json::parse(text ? *text : stored, nullptr, false);
    if (!json.is_discarded()) return json.empty() && !json.is_array() ? Json() : json;
    if (text) return Json();
    unreadable = text.error();
    if (!is_key_problem(*unreadable))
        unreadable->place = fmt::format("blueprint {}, {}", rows.number(row, "id"), column);
    return Json();
}

Result<Blueprint> Blueprints::read_row(const ControlRows& rows, std::size_t row) const {
    auto flag = [&](const char* column) { return rows.number(row, column) != 0; };
    Blueprint out;
    out.id = rows.number(row, "id");
    out.created_at = rows.text(row, "created_at");
    out.updated_at = rows.text(row, "updated_at");
    out.name = rows.text(row, "name");
    out.project = rows.text(row, "project_name");
    out.mode = rows.text(row, "mode");
    out.cron = rows.text(row, "cron_config");
    out.time_after = rows.text(row, "time_after");
    out.enable = flag("enable");
    out.manual = flag("is_manual");
    out.skip_on_fail = flag("skip_on_fail");
    out.skip_collectors = flag("skip_collectors");
    out.full_sync = flag("full_sync");
    out.priority = rows.number(row, "priority");
    std::optional<Error> plan_error;
    out.plan = read_plan(rows, row, "plan", plan_error);
    if (out.advanced()) out.unreadable = plan_error;  // others' plans are made anew
    out.before = read_plan(rows, row, "before_plan", out.unreadable);
    out.after = read_plan(rows, row, "after_plan", out.unreadable);
    auto& control = home_.control();
    TARN_ASSIGN(
        auto labels,
        control.query("select name from _devlake_blueprint_labels where blueprint_id = ? order by name",
                      {out.id}));
    for (std::size_t i = 0; i < labels.rows.size(); ++i) out.labels.push_back(labels.text(i, "name"));
    TARN_ASSIGN(out.connections, read_connections(out.id));
    return out;
}

// By their keys: the order decides who shares a stage, and a plan made again is the same one.
Result<std::vector<BlueprintConnection>> Blueprints::read_connections(std::int64_t id) const {
    std::vector<BlueprintConnection> out;
    TARN_ASSIGN(auto rows,
                home_.control().query("select plugin_name, connection_id from "
                                      "_devlake_blueprint_connections where blueprint_id = ? order "
                                      "by plugin_name, connection_id",
                                      {id}));
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        BlueprintConnection connection{rows.text(row, "plugin_name"), rows.number(row, "connection_id"), {}};
        TARN_ASSIGN(auto scopes, home_.control().query("select scope_id from _devlake_blueprint_scopes where "
                                                       "blueprint_id = ? and plugin_name = ? and "
                                                       "connection_id = ? order by scope_id",
                                                       {id, connection.plugin, connection.connection_id}));
        for (std::size_t i = 0; i < scopes.rows.size(); ++i)
            connection.scopes.push_back(scopes.text(i, "scope_id"));
        out.push_back(std::move(connection));
    }
    return out;
}

Result<std::optional<Blueprint>> Blueprints::find(std::int64_t id) const {
    TARN_ASSIGN(auto rows, home_.control().query("select * from _devlake_blueprints where id = ?", {id}));
    if (rows.rows.empty()) return std::optional<Blueprint>();
    TARN_ASSIGN(auto found, read_row(rows, 0));
    return std::optional<Blueprint>(std::move(found));
}

Result<std::optional<Blueprint>> Blueprints::of_project(const std::string& project) const {
    TARN_ASSIGN(auto rows,
                home_.control().query("select * from _devlake_blueprints where project_name = ? order by id",
                                      {project}));
    if (rows.rows.empty()) return std::optional<Blueprint>();
    TARN_ASSIGN(auto found, read_row(rows, 0));
    return std::optional<Blueprint>(std::move(found));
}

Result<Json> Blueprints::list(const BlueprintFilter& filter) const {
    TARN_ASSIGN(auto condition, filter.manual ? Result<std::string>("true") : type_condition(filter.type));
    std::vector<ControlValue> values;
    auto add = [&](const std::string& text, const ControlValue& value) {
        condition += " and " + text;
        values.push_back(value);
    };
    if (filter.enable) add("enable = ?", std::int64_t{*filter.enable});
    if (filter.manual) add("is_manual = ?", std::int64_t{*filter.manual});
    if (!filter.label.empty())
        add("id in (select blueprint_id from _devlake_blueprint_labels where name = ?)", filter.label);
    TARN_ASSIGN(auto count, home_.control().query(
                                "select count(*) as n from _devlake_blueprints where " + condition, values));
    values.emplace_back(filter.page_size);
    values.emplace_back((filter.page - 1) * filter.page_size);
    TARN_ASSIGN(auto rows, home_.control().query("select * from _devlake_blueprints where " + condition +
                                                     " order by id desc limit ? offset ?",
                                                 values));
    Json out = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        TARN_ASSIGN(auto blueprint, read_row(rows, row));
        out.push_back(shown(blueprint));
    }
    return Json{{"blueprints", std::move(out)}, {"count", count.number(0, "n")}};
}

// ---- writing

Result<std::int64_t> Blueprints::write_row(const Blueprint& blueprint) const {
    auto encrypted = [&](const Json& plan) -> Result<ControlValue> {
        if (plan.is_null()) return ControlValue();
        TARN_ASSIGN(auto text, home_.cipher().encrypt(plan.dump()));
        return ControlValue(text);
    };
    TARN_ASSIGN(auto plan, encrypted(blueprint.plan));
    TARN_ASSIGN(auto before, encrypted(blueprint.before));
    TARN_ASSIGN(auto after, encrypted(blueprint.after));
    auto flag = [](bool value) { return std::int64_t{value}; };
    auto now = format_sql(now_millis());
    std::vector<std::pair<const char*, ControlValue>> columns = {
        {"updated_at", now},
        {"name", blueprint.name},
        {"project_name", blueprint.project},
        {"mode", blueprint.mode},
        {"plan", plan},
        {"before_plan", before},
        {"after_plan", after},
        {"enable", flag(blueprint.enable)},
        {"cron_config", blueprint.cron},
        {"is_manual", flag(blueprint.manual)},
        {"skip_on_fail", flag(blueprint.skip_on_fail)},
        {"time_after", text_or_null(blueprint.time_after)},
        {"skip_collectors", flag(blueprint.skip_collectors)},
        {"full_sync", flag(blueprint.full_sync)},
        {"priority", blueprint.priority}};
    if (blueprint.id == 0) columns.emplace_back("created_at", now);
    std::vector<std::string> names, sets;
    std::vector<ControlValue> values;
    for (const auto& [name, value] : columns) {
        names.emplace_back(name);
        sets.push_back(std::string(name) + " = ?");
        values.push_back(value);
    }
    if (blueprint.id == 0) {
        std::vector<std::string> marks(names.size(), "?");
        return home_.control().insert(fmt::format("insert into _devlake_blueprints ({}) values ({})",
                                                  join(names, ", "), join(marks, ", ")),
                                      values);
    }
    values.emplace_back(blueprint.id);
    TARN_TRY(
        home_.control().run("update _devlake_blueprints set " + join(sets, ", ") + " where id = ?", values));
    return blueprint.id;
}

Result<> Blueprints::write_parts(const Blueprint& blueprint) const {
    auto& control = home_.control();
    for (const auto* table :
         {"_devlake_blueprint_labels", "_devlake_blueprint_connections", "_devlake_blueprint_scopes"})
        TARN_TRY(control.run(fmt::format("delete from {} where blueprint_id = ?", table), {blueprint.id}));
    auto now = format_sql(now_millis());
    for (const auto& label : blueprint.labels)
        TARN_TRY(
            control.run("insert into _devlake_blueprint_labels (blueprint_id, name, created_at, "
                        "updated_at) values (?, ?, ?, ?) on conflict do nothing",
                        {blueprint.id, label, now, now}));
    for (const auto& connection : blueprint.connections) {
        TARN_TRY(
            control.run("insert into _devlake_blueprint_connections (blueprint_id, plugin_name, "
                        "connection_id) values (?, ?, ?)",
                        {blueprint.id, connection.plugin, connection.connection_id}));
        for (const auto& scope : connection.scopes)
            TARN_TRY(
                control.run("insert into _devlake_blueprint_scopes (blueprint_id, plugin_name, "
                            "connection_id, scope_id) values (?, ?, ?, ?)",
                            {blueprint.id, connection.plugin, connection.connection_id, scope}));
    }
    return {};
}

Result<Blueprint> Blueprints::save(Blueprint blueprint) const {
    if (blueprint.unreadable) return fail(*blueprint.unreadable);
    TARN_TRY(check(blueprint));
    if (!blueprint.advanced()) {
        TARN_ASSIGN(blueprint.plan, make_plan(home_, platform_, blueprint));
    }
    TARN_TRY(home_.control().transaction([&]() -> Result<> {
        TARN_ASSIGN(blueprint.id, write_row(blueprint));
        return write_parts(blueprint);
    }));
    TARN_ASSIGN(auto saved, find(blueprint.id));
    if (!saved) return fail(ErrorKind::bug, "a saved blueprint is not found", "_devlake_blueprints");
    return *saved;
}

Result<> Blueprints::remove(std::int64_t id) const {
    return home_.control().transaction([&]() -> Result<> {
        for (const auto* condition :
             {"_devlake_blueprint_labels where blueprint_id",
              "_devlake_blueprint_connections where blueprint_id",
              "_devlake_blueprint_scopes where blueprint_id", "_devlake_blueprints where id"})
            TARN_TRY(home_.control().run(fmt::format("delete from {} = ?", condition), {id}));
        return {};
    });
}

Json Blueprints::shown(const Blueprint& blueprint) const {
    return {{"id", blueprint.id},
            {"createdAt", time_json(blueprint.created_at)},
            {"updatedAt", time_json(blueprint.updated_at)},
            {"name", blueprint.name},
            {"projectName", blueprint.project},
            {"mode", blueprint.mode},
            {"plan", masked_urls(blueprint.plan)},
            {"enable", blueprint.enable},
            {"cronConfig", blueprint.cron},
            {"isManual", blueprint.manual},
            {"nextRun", time_json(next_run(blueprint))},
            {"beforePlan", masked_urls(blueprint.before)},
            {"afterPlan", masked_urls(blueprint.after)},
            {"labels", blueprint.labels},
            {"connections", connections_json(blueprint)},
            {"priority", blueprint.priority},
            {"skipOnFail", blueprint.skip_on_fail},
            {"timeAfter", time_json(blueprint.time_after)},
            {"skipCollectors", blueprint.skip_collectors},
            {"fullSync", blueprint.full_sync}};
}

}  // namespace tarn::run
