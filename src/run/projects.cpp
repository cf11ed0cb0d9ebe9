#include "run/projects.h"

#include <array>
#include <chrono>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "run/body.h"
#include "run/fields.h"
#include "run/pipeline_rows.h"
#include "store/mirror.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_name = 100, longest_description = 100'000;

// Tables of the data file whose rows belong to a project.
constexpr std::array<const char*, 3> project_tables = {"project_mapping", "project_pr_metrics",
                                                       "project_incident_deployment_relationships"};

std::string six_months_ago() {
    using namespace std::chrono;
    auto today = floor<days>(sys_time<milliseconds>(milliseconds(now_millis())));
    year_month_day date = year_month_day(today) - months(6);
    if (!date.ok()) date = date.year() / date.month() / last;
    return format_sql(duration_cast<milliseconds>(sys_days(date).time_since_epoch()).count());
}

struct Metric {
    std::string plugin;
    Json option;
    bool enable = false;
};

Result<std::vector<Metric>> read_metrics(const Json& list) {
    std::vector<Metric> out;
    if (list.is_null()) return out;
    if (!list.is_array()) return wrong("metrics", "must be a list");
    std::set<std::string> met;
    for (const auto& item : list) {
        auto body = Body::make(item);
        if (!body) return wrong("metrics", "must be a list of objects with pluginName");
        Metric metric;
        TARN_ASSIGN(metric.plugin, body->text("pluginName", 255));
        TARN_ASSIGN(metric.enable, body->flag("enable"));
        metric.option = body->at("pluginOption").is_null() ? Json::object() : body->at("pluginOption");
        if (metric.plugin.empty()) return wrong("metrics.pluginName", "must be set");
        if (!met.insert(metric.plugin).second)
            return wrong("metrics", "'" + metric.plugin + "' is named twice");
        out.push_back(std::move(metric));
    }
    return out;
}

Result<std::string> checked_name(const Body& body) {
    TARN_ASSIGN(auto name, body.text("name", longest_name));
    if (name.empty()) return wrong("name", "must be set");
    return name;
}

}  // namespace

Result<> mirror_projects(const Home& home, const Platform& platform) {
    for (const auto* name : {"projects", "project_metric_settings"}) {
        if (const Table* table = platform.schema().table(name))
            TARN_TRY(mirror_control(home.data(), home.control(), *table));
    }
    return {};
}

// ---- as the API shows them

Result<Json> Projects::metrics_of(const std::string& project) const {
    TARN_ASSIGN(auto rows, home_.control().query("select plugin_name, plugin_option, enable from "
                                                 "project_metric_settings where project_name = ? order by "
                                                 "plugin_name",
                                                 {project}));
    Json out = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        auto option = Json::parse(rows.text(row, "plugin_option"), nullptr, false);
        out.push_back({{"pluginName", rows.text(row, "plugin_name")},
                       {"pluginOption", option.is_discarded() ? Json() : option},
                       {"enable", rows.number(row, "enable") != 0}});
    }
    return out.empty() ? Json() : out;
}

Result<Json> Projects::shown(const ControlRows& rows, std::size_t row) const {
    auto name = rows.text(row, "name");
    auto time = [&](const char* column) {
        return rows.is_null(row, column) ? Json() : Json(api_time(rows.text(row, column)));
    };
    Json out = {{"name", name},
                {"description", rows.text(row, "description")},
                {"createdAt", time("created_at")},
                {"updatedAt", time("updated_at")},
                {"_raw_data_params", rows.text(row, "_raw_data_params")},
                {"_raw_data_table", rows.text(row, "_raw_data_table")},
                {"_raw_data_id", rows.number(row, "_raw_data_id")},
                {"_raw_data_remark", rows.text(row, "_raw_data_remark")}};
    TARN_ASSIGN(out["metrics"], metrics_of(name));
    TARN_ASSIGN(auto blueprint, blueprints_.of_project(name));
    out["blueprint"] = blueprint ? blueprints_.shown(*blueprint) : Json();
    return out;
}

Result<std::optional<Json>> Projects::find(const std::string& name) const {
    TARN_ASSIGN(auto rows, home_.control().query("select * from projects where name = ?", {name}));
    if (rows.rows.empty()) return std::optional<Json>();
    TARN_ASSIGN(auto out, shown(rows, 0));
    return std::optional<Json>(std::move(out));
}

Result<bool> Projects::exists(const std::string& name) const {
    TARN_ASSIGN(auto rows, home_.control().query("select name from projects where name = ?", {name}));
    return !rows.rows.empty();
}

Result<Json> Projects::list(const std::string& keyword, std::int64_t page, std::int64_t page_size) const {
    auto& control = home_.control();
    std::string condition = holds_text("name");
    auto pattern = like_pattern(keyword);
    TARN_ASSIGN(auto count,
                control.query("select count(*) as n from projects where " + condition, {pattern}));
    TARN_ASSIGN(auto rows, control.query("select * from projects where " + condition +
                                             " order by created_at desc, name limit ? offset ?",
                                         {pattern, page_size, (page - 1) * page_size}));
    Json out = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        TARN_ASSIGN(auto project, shown(rows, row));
        if (project["blueprint"].is_object()) {
            PipelineFilter last;
            last.blueprint_id = project["blueprint"]["id"].get<std::int64_t>();
            last.page_size = 1;
            TARN_ASSIGN(auto found, PipelineRows(home_).list(last));
            if (!found["pipelines"].empty()) project["lastPipeline"] = found["pipelines"][0];
        }
        out.push_back(std::move(project));
    }
    return Json{{"projects", std::move(out)}, {"count", count.number(0, "n")}};
}

// ---- writing

Result<Blueprint> Projects::first_blueprint(const std::string& project, const Json& body) const {
    Blueprint made;
    made.project = project;
    if (body.is_null()) {
        made.name = project + "-Blueprint";
        made.enable = true;
        made.cron = "0 0 * * *";
        made.time_after = six_months_ago();
        return made;
    }
    made.mode.clear();
    TARN_ASSIGN(made, blueprints_.overlaid(std::move(made), body));
    made.project = project;
    return made;
}

Result<> Projects::write_metrics(const std::string& project, const Json& list) const {
    TARN_ASSIGN(auto metrics, read_metrics(list));
    if (metrics.empty()) return {};
    auto& control = home_.control();
    TARN_TRY(control.run("delete from project_metric_settings where project_name = ?", {project}));
    auto now = format_sql(now_millis());
    for (const auto& metric : metrics)
        TARN_TRY(control.run(
            "insert into project_metric_settings (project_name, plugin_name, plugin_option, enable, "
            "created_at, updated_at) values (?, ?, ?, ?, ?, ?)",
            {project, metric.plugin, metric.option.dump(), std::int64_t{metric.enable}, now, now}));
    return {};
}

Result<Json> Projects::create(const Json& json) const {
    TARN_ASSIGN(auto body, Body::make(json));
    TARN_ASSIGN(auto name, checked_name(body));
    TARN_ASSIGN(auto description, body.text("description", longest_description));
    TARN_ASSIGN(auto blueprint, first_blueprint(name, body.at("blueprint")));
    auto& control = home_.control();
    TARN_TRY(control.transaction([&]() -> Result<> {
        TARN_ASSIGN(bool known, exists(name));
        if (known) return wrong("name", "there is a project '" + name + "' already");
        auto now = format_sql(now_millis());
        TARN_TRY(control.run(
            "insert into projects (name, description, created_at, updated_at) values (?, ?, ?, ?)",
            {name, description, now, now}));
        TARN_TRY(write_metrics(name, body.at("metrics")));
        TARN_TRY(blueprints_.save(blueprint));
        return {};
    }));
    TARN_ASSIGN(auto made, find(name));
    if (!made) return fail(ErrorKind::bug, "a saved project is not found", "projects");
    return *made;
}

Result<> Projects::rename(const std::string& from, const std::string& to) const {
    auto& control = home_.control();
    TARN_ASSIGN(bool taken, exists(to));
    if (taken) return wrong("name", "there is a project '" + to + "' already");
    TARN_TRY(control.run("update projects set name = ? where name = ?", {to, from}));
    for (const auto* table : {"project_metric_settings", "_devlake_blueprints"})
        TARN_TRY(control.run(fmt::format("update {} set project_name = ? where project_name = ?", table),
                             {to, from}));
    return {};
}

namespace {

// Rows of the data file follow their project to its new name; "": they are deleted.
Result<> move_rows(const Home& home, const std::string& from, const std::string& to) {
    return home.data().write([&](duck::Connection& connection) -> Result<> {
        for (const auto* table : project_tables) {
            auto condition = " where project_name = " + sql_text(from);
            // The name is part of keys, which an update may not change.
            if (!to.empty()) {
                TARN_TRY(connection.run(
                    fmt::format("insert into {0} select * replace ({1} as project_name) from {0}{2}", table,
                                sql_text(to), condition)));
            }
            TARN_TRY(connection.run("delete from " + std::string(table) + condition));
        }
        return {};
    });
}

}  // namespace

Result<std::optional<Json>> Projects::change(const std::string& name, const Json& json) const {
    TARN_ASSIGN(auto body, Body::make(json));
    TARN_ASSIGN(bool known, exists(name));
    if (!known) return std::optional<Json>();
    auto now_named = name;
    if (!body.at("name").is_null()) {
        TARN_ASSIGN(now_named, checked_name(body));
    }
    TARN_ASSIGN(auto description, body.text("description", longest_description));
    auto& control = home_.control();
    TARN_TRY(control.transaction([&]() -> Result<> {
        if (now_named != name) TARN_TRY(rename(name, now_named));
        TARN_TRY(control.run("update projects set description = ?, updated_at = ? where name = ?",
                             {description, format_sql(now_millis()), now_named}));
        return write_metrics(now_named, body.at("metrics"));
    }));
    if (now_named != name) TARN_TRY(move_rows(home_, name, now_named));
    return find(now_named);
}

Result<> Projects::remove(const std::string& name) const {
    auto& control = home_.control();
    TARN_TRY(control.transaction([&]() -> Result<> {
        TARN_ASSIGN(auto blueprint, blueprints_.of_project(name));
        if (blueprint) {
            TARN_ASSIGN(bool busy, PipelineRows(home_).has_unfinished(blueprint->id));
            if (busy)
                return fail(ErrorKind::bad_data, "There are unfinished pipelines of the project", {},
                            "Wait for their end or cancel them.");
            TARN_TRY(blueprints_.remove(blueprint->id));
        }
        TARN_TRY(control.run("delete from project_metric_settings where project_name = ?", {name}));
        TARN_TRY(control.run("delete from projects where name = ?", {name}));
        return {};
    }));
    return move_rows(home_, name, "");
}

}  // namespace tarn::run
