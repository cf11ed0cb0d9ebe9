#include "run/pipeline_rows.h"

#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "run/body.h"
#include "run/fields.h"
#include "run/running_tasks.h"
#include "run/sealed_url.h"
#include "run/stages.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_name = 191;

Json time_json(const ControlRows& rows, std::size_t row, const char* column) {
    return rows.is_null(row, column) ? Json() : Json(api_time(rows.text(row, column)));
}

double real_of(const ControlRows& rows, std::size_t row, const char* column) {
    return std::strtod(rows.text(row, column).c_str(), nullptr);
}

Json subtask_json(const ControlRows& rows, std::size_t row) {
    return {{"id", rows.number(row, "id")},
            {"createdAt", time_json(rows, row, "created_at")},
            {"updatedAt", time_json(rows, row, "updated_at")},
            {"taskId", rows.number(row, "task_id")},
            {"name", rows.text(row, "name")},
            {"number", rows.number(row, "number")},
            {"beganAt", time_json(rows, row, "began_at")},
            {"finishedAt", time_json(rows, row, "finished_at")},
            {"spentSeconds", rows.number(row, "spent_seconds")},
            {"finishedRecords", rows.number(row, "finished_records")},
            {"sequence", rows.number(row, "sequence")},
            {"isCollector", rows.number(row, "is_collector") != 0},
            {"isFailed", rows.number(row, "is_failed") != 0},
            {"message", rows.text(row, "message")}};
}

// The state of several tasks as one
std::string common_status(const ControlRows& tasks) {
    std::size_t failed = 0, completed = 0, all = tasks.rows.size();
    for (std::size_t row = 0; row < all; ++row) {
        auto status = tasks.text(row, "status");
        failed += status == "TASK_FAILED" ? 1 : 0;
        completed += status == "TASK_COMPLETED" ? 1 : 0;
    }
    if (all == 0) return "";
    if (failed > 0 && completed > 0) return "TASK_PARTIAL";
    if (failed == all) return "TASK_FAILED";
    return completed == all ? "TASK_COMPLETED" : "TASK_RUNNING";
}

// Condition on _devlake_tasks
std::string listed_tasks(const Platform& platform) {
    std::vector<std::string> left_out;
    for (const auto& loaded : platform.connectors()) {
        const auto& connector = loaded->connector;
        if (connector.listed) continue;
        left_out.push_back(sql_text(connector.name));
        for (const auto& alias : connector.aliases) left_out.push_back(sql_text(alias));
    }
    return fmt::format("{} and plugin not in ({})", newest_tasks, join(left_out, ", "));
}

}  // namespace

Millis millis_of(const ControlRows& rows, std::size_t row, const char* column) {
    Millis time = 0;
    return parse_time(rows.text(row, column), time) == Parsed::ok ? time : 0;
}

Result<NewPipeline> new_pipeline(const Json& json) {
    TARN_ASSIGN(auto body, Body::make(json));
    NewPipeline made;
    made.plan = body.at("plan").is_null() ? Json::array() : body.at("plan");
    TARN_TRY(check_stages(made.plan, "plan"));
    TARN_ASSIGN(made.name, body.text("name", longest_name));
    TARN_ASSIGN(made.blueprint_id, body.number("blueprintId"));
    if (made.blueprint_id < 0) return wrong("blueprintId", "must not be below zero");
    TARN_ASSIGN(made.priority, body.number("priority"));
    TARN_ASSIGN(made.skip_on_fail, body.flag("skipOnFail"));
    TARN_ASSIGN(made.full_sync, body.flag("fullSync"));
    TARN_ASSIGN(made.skip_collectors, body.flag("skipCollectors"));
    TARN_ASSIGN(made.time_after, body.time("timeAfter"));
    TARN_ASSIGN(made.labels, body.texts("labels", longest_name));
    return made;
}

// ---- new ones

Result<> PipelineRows::insert_tasks(std::int64_t pipeline_id, const Json& plan) const {
    auto now = format_sql(now_millis());
    for (std::size_t s = 0; s < plan.size(); ++s) {
        for (std::size_t t = 0; t < plan[s].size(); ++t) {
            Body task = *Body::make(plan[s][t]);
            Json options = task.at("options").is_null() ? Json::object() : task.at("options");
            TARN_ASSIGN(auto stored, home_.cipher().encrypt(options.dump()));
            TARN_TRY(home_.control().insert(
                "insert into _devlake_tasks (created_at, updated_at, plugin, subtasks, options, status, "
                "message, error_name, progress, failed_sub_task, pipeline_id, pipeline_row, pipeline_col, "
                "spent_seconds) values (?, ?, ?, ?, ?, 'TASK_CREATED', '', '', 0, '', ?, ?, ?, 0)",
                {now, now, plan[s][t]["plugin"].get<std::string>(), task.at("subtasks").dump(), stored,
                 pipeline_id, static_cast<std::int64_t>(s) + 1, static_cast<std::int64_t>(t) + 1}));
        }
    }
    return {};
}

Result<bool> PipelineRows::has_unfinished(std::int64_t blueprint_id) const {
    TARN_ASSIGN(auto rows, home_.control().query(
                               fmt::format("select id from _devlake_pipelines where blueprint_id = ? and "
                                           "status not in {} limit 1",
                                           final_states),
                               {blueprint_id}));
    return !rows.rows.empty();
}

Result<std::int64_t> PipelineRows::create(const NewPipeline& made) const {
    TARN_ASSIGN(auto tasks, check_stages(made.plan, "plan"));
    if (tasks == 0) return wrong("plan", "no task to run");
    TARN_ASSIGN(auto plan, home_.cipher().encrypt(made.plan.dump()));
    auto& control = home_.control();
    auto flag = [](bool value) { return std::int64_t{value}; };
    std::int64_t id = 0;
    TARN_TRY(control.transaction([&]() -> Result<> {
        bool busy = false;
        if (made.blueprint_id > 0) {
            TARN_ASSIGN(busy, has_unfinished(made.blueprint_id));
        }
        if (busy)
            return wrong("blueprintId",
                         "a pipeline of the blueprint is waiting or running: wait for its end "
                         "or cancel it");
        auto now = format_sql(now_millis());
        TARN_ASSIGN(id, control.insert("insert into _devlake_pipelines (created_at, updated_at, name, "
                                       "blueprint_id, plan, total_tasks, finished_tasks, status, message, "
                                       "error_name, spent_seconds, stage, priority, skip_on_fail, full_sync, "
                                       "skip_collectors, time_after) values (?, ?, ?, ?, ?, ?, 0, "
                                       "'TASK_CREATED', '', '', 0, 0, ?, ?, ?, ?, ?)",
                                       {now, now, made.name, made.blueprint_id, plan, tasks, made.priority,
                                        flag(made.skip_on_fail), flag(made.full_sync),
                                        flag(made.skip_collectors), text_or_null(made.time_after)}));
        for (const auto& label : made.labels)
            TARN_TRY(
                control.run("insert into _devlake_pipeline_labels (created_at, updated_at, pipeline_id, "
                            "name) values (?, ?, ?, ?) on conflict do nothing",
                            {now, now, id, label}));
        return insert_tasks(id, made.plan);
    }));
    return id;
}

// ---- as the API shows them

Result<Json> PipelineRows::decrypted(const ControlRows& rows, std::size_t row, const char* column) const {
    if (rows.is_null(row, column)) return Json();
    TARN_ASSIGN(auto text, home_.cipher().decrypt(rows.text(row, column)));
    auto json = Json::parse(text, nullptr, false);
    return json.is_discarded() ? Json() : json;
}

Result<Json> PipelineRows::shown_pipeline(const ControlRows& rows, std::size_t row) const {
    auto id = rows.number(row, "id");
    auto plan = decrypted(rows, row, "plan").value_or(Json());
    TARN_ASSIGN(auto labels,
                home_.control().query(
                    "select name from _devlake_pipeline_labels where pipeline_id = ? order by name", {id}));
    Json names = Json::array();
    for (std::size_t i = 0; i < labels.rows.size(); ++i) names.push_back(labels.text(i, "name"));
    return Json{{"id", id},
                {"createdAt", time_json(rows, row, "created_at")},
                {"updatedAt", time_json(rows, row, "updated_at")},
                {"name", rows.text(row, "name")},
                {"blueprintId", rows.number(row, "blueprint_id")},
                {"plan", masked_urls(std::move(plan))},
                {"totalTasks", rows.number(row, "total_tasks")},
                {"finishedTasks", rows.number(row, "finished_tasks")},
                {"beganAt", time_json(rows, row, "began_at")},
                {"finishedAt", time_json(rows, row, "finished_at")},
                {"status", rows.text(row, "status")},
                {"message", rows.text(row, "message")},
                {"errorName", rows.text(row, "error_name")},
                {"spentSeconds", rows.number(row, "spent_seconds")},
                {"stage", rows.number(row, "stage")},
                {"labels", names},
                {"priority", rows.number(row, "priority")},
                {"skipOnFail", rows.number(row, "skip_on_fail") != 0},
                {"timeAfter", time_json(rows, row, "time_after")},
                {"skipCollectors", rows.number(row, "skip_collectors") != 0},
                {"fullSync", rows.number(row, "full_sync") != 0}};
}

Result<std::optional<Json>> PipelineRows::find(std::int64_t id) const {
    TARN_ASSIGN(auto rows, home_.control().query("select * from _devlake_pipelines where id = ?", {id}));
    if (rows.rows.empty()) return std::optional<Json>();
    TARN_ASSIGN(auto shown, shown_pipeline(rows, 0));
    return std::optional<Json>(std::move(shown));
}

Result<Json> PipelineRows::list(const PipelineFilter& filter) const {
    std::string condition = "true";
    std::vector<ControlValue> values;
    auto add = [&](const std::string& text, const ControlValue& value) {
        condition += " and " + text;
        values.push_back(value);
    };
    if (!filter.status.empty()) add("status = ?", filter.status);
    if (filter.blueprint_id) add("blueprint_id = ?", *filter.blueprint_id);
    if (!filter.label.empty())
        add("id in (select pipeline_id from _devlake_pipeline_labels where name = ?)", filter.label);
    if (filter.pending)
        condition += fmt::format(" and finished_at is null and status not in {}", final_states);
    TARN_ASSIGN(auto count, home_.control().query(
                                "select count(*) as n from _devlake_pipelines where " + condition, values));
    values.emplace_back(filter.page_size);
    values.emplace_back((filter.page - 1) * filter.page_size);
    TARN_ASSIGN(auto rows, home_.control().query("select * from _devlake_pipelines where " + condition +
                                                     " order by id desc limit ? offset ?",
                                                 values));
    Json pipelines = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        TARN_ASSIGN(auto shown, shown_pipeline(rows, row));
        pipelines.push_back(std::move(shown));
    }
    return Json{{"count", count.number(0, "n")}, {"pipelines", pipelines}};
}

Result<Json> PipelineRows::shown_task(const ControlRows& rows, std::size_t row) const {
    auto options = decrypted(rows, row, "options").value_or(Json());
    auto subtasks = Json::parse(rows.text(row, "subtasks"), nullptr, false);
    return Json{{"id", rows.number(row, "id")},
                {"createdAt", time_json(rows, row, "created_at")},
                {"updatedAt", time_json(rows, row, "updated_at")},
                {"plugin", rows.text(row, "plugin")},
                {"subtasks", subtasks.is_discarded() ? Json() : subtasks},
                {"options", masked_urls(std::move(options))},
                {"status", rows.text(row, "status")},
                {"message", rows.text(row, "message")},
                {"errorName", rows.text(row, "error_name")},
                {"progress", real_of(rows, row, "progress")},
                {"progressDetail", nullptr},
                {"failedSubTask", rows.text(row, "failed_sub_task")},
                {"pipelineId", rows.number(row, "pipeline_id")},
                {"pipelineRow", rows.number(row, "pipeline_row")},
                {"pipelineCol", rows.number(row, "pipeline_col")},
                {"beganAt", time_json(rows, row, "began_at")},
                {"finishedAt", time_json(rows, row, "finished_at")},
                {"spentSeconds", rows.number(row, "spent_seconds")}};
}

Result<Json> PipelineRows::tasks(std::int64_t pipeline_id, const TaskDetail& detail) const {
    TARN_ASSIGN(auto rows,
                home_.control().query(
                    fmt::format("select * from _devlake_tasks where {} order by id desc", newest_tasks),
                    {pipeline_id}));
    Json tasks = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        TARN_ASSIGN(auto shown, shown_task(rows, row));
        if (rows.text(row, "status") == "TASK_RUNNING")
            shown["progressDetail"] = detail(rows.number(row, "id"));
        tasks.push_back(std::move(shown));
    }
    auto count = tasks.size();
    return Json{{"tasks", tasks.empty() ? Json() : std::move(tasks)}, {"count", count}};
}

Result<Json> PipelineRows::progress_elsewhere(std::int64_t task_id) const {
    TARN_ASSIGN(auto rows,
                home_.control().query("select name, number, began_at, finished_at, finished_records "
                                      "from _devlake_subtasks where task_id = ? order by id",
                                      {task_id}));
    if (rows.rows.empty()) return Json();
    TaskProgress progress;
    progress.subtasks = rows.rows.size();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        bool finished = !rows.is_null(row, "finished_at");
        progress.finished_subtasks += finished ? 1 : 0;
        if (finished || rows.is_null(row, "began_at")) continue;
        progress.subtask = rows.text(row, "name");
        progress.subtask_number = rows.number(row, "number");
        progress.items = rows.number(row, "finished_records");
    }
    return progress_json(progress);
}

Result<Json> PipelineRows::shown_with_subtasks(const ControlRows& tasks, std::size_t row,
                                               const std::vector<Json>& details) const {
    TARN_ASSIGN(auto shown, shown_task(tasks, row));
    for (const auto* name : {"subtasks", "progress", "progressDetail", "pipelineRow", "pipelineCol"})
        shown.erase(name);
    shown["subtaskDetails"] = details.empty() ? Json() : Json(details);
    return shown;
}

Result<Json> PipelineRows::subtasks(std::int64_t pipeline_id, const Platform& platform) const {
    auto& control = home_.control();
    auto wanted = listed_tasks(platform);
    TARN_ASSIGN(auto tasks,
                control.query(fmt::format("select * from _devlake_tasks where {} order by id", wanted),
                              {pipeline_id}));
    TARN_ASSIGN(auto rows,
                control.query(fmt::format("select * from _devlake_subtasks where task_id in (select "
                                          "id from _devlake_tasks where {}) order by id",
                                          wanted),
                              {pipeline_id}));
    std::map<std::int64_t, std::vector<Json>> details;
    std::int64_t collectors = 0, finished = 0;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        details[rows.number(row, "task_id")].push_back(subtask_json(rows, row));
        if (rows.number(row, "is_collector") == 0) continue;
        ++collectors;
        finished += rows.is_null(row, "finished_at") ? 0 : 1;
    }
    Json shown = Json::array();
    for (std::size_t row = 0; row < tasks.rows.size(); ++row) {
        TARN_ASSIGN(auto item, shown_with_subtasks(tasks, row, details[tasks.number(row, "id")]));
        shown.push_back(std::move(item));
    }
    auto count = shown.size();
    double rate = collectors == 0 ? 1 : static_cast<double>(finished) / static_cast<double>(collectors);
    return Json{{"subtasks", shown.empty() ? Json() : std::move(shown)},
                {"completionRate", std::round(rate * 100) / 100},
                {"status", common_status(tasks)},
                {"count", count}};
}

// ---- again

Result<> PipelineRows::check_can_rerun(std::int64_t pipeline_id) const {
    TARN_ASSIGN(auto rows,
                home_.control().query("select status from _devlake_pipelines where id = ?", {pipeline_id}));
    auto status = rows.text(0, "status");
    if (status == "TASK_RUNNING") return fail(ErrorKind::bad_data, "the pipeline is running");
    if (status == "TASK_CREATED" || status == "TASK_RERUN" || status == "TASK_RESUME")
        return fail(ErrorKind::bad_data, "the pipeline is waiting for its turn");
    return {};
}

Result<Json> PipelineRows::rerun(std::int64_t pipeline_id, const ControlRows& tasks) const {
    auto& control = home_.control();
    auto now = format_sql(now_millis());
    Json out = Json::array();
    for (std::size_t row = 0; row < tasks.rows.size(); ++row) {
        auto old = tasks.number(row, "id");
        TARN_TRY(control.run("update _devlake_tasks set status = 'TASK_FAILED', updated_at = ? where id = ?",
                             {now, old}));
        TARN_ASSIGN(
            auto made,
            control.insert("insert into _devlake_tasks (created_at, updated_at, plugin, subtasks, options, "
                           "status, message, error_name, progress, failed_sub_task, pipeline_id, "
                           "pipeline_row, pipeline_col, spent_seconds) select ?, ?, plugin, subtasks, "
                           "options, 'TASK_RERUN', '', '', 0, '', pipeline_id, pipeline_row, "
                           "pipeline_col, 0 from _devlake_tasks where id = ?",
                           {now, now, old}));
        TARN_ASSIGN(auto rows, control.query("select * from _devlake_tasks where id = ?", {made}));
        TARN_ASSIGN(auto shown, shown_task(rows, 0));
        out.push_back(std::move(shown));
    }
    TARN_TRY(
        control.run("update _devlake_pipelines set status = 'TASK_RERUN', finished_at = null, updated_at = "
                    "? where id = ?",
                    {now, pipeline_id}));
    return out;
}

Result<std::optional<Json>> PipelineRows::rerun_pipeline(std::int64_t id) const {
    std::optional<Json> out;
    TARN_TRY(home_.control().transaction([&]() -> Result<> {
        TARN_ASSIGN(auto rows, home_.control().query("select id from _devlake_pipelines where id = ?", {id}));
        if (rows.rows.empty()) return {};
        TARN_TRY(check_can_rerun(id));
        TARN_ASSIGN(auto tasks,
                    home_.control().query(fmt::format("select * from _devlake_tasks where {} and status <> "
                                                      "'TASK_COMPLETED' order by pipeline_row, pipeline_col",
                                                      newest_tasks),
                                          {id}));
        if (tasks.rows.empty())
            return fail(ErrorKind::bad_data, "no tasks to be re-ran: all of them have succeeded", {},
                        "Run one task again by itself, or trigger the blueprint.");
        TARN_ASSIGN(out, rerun(id, tasks));
        return {};
    }));
    return out;
}

Result<std::optional<Json>> PipelineRows::rerun_task(std::int64_t id) const {
    std::optional<Json> out;
    TARN_TRY(home_.control().transaction([&]() -> Result<> {
        // The newest of its place, whichever of them was named.
        TARN_ASSIGN(auto tasks,
                    home_.control().query(
                        "select * from _devlake_tasks where id = (select max(n.id) from _devlake_tasks "
                        "n join _devlake_tasks t on n.pipeline_id = t.pipeline_id and n.pipeline_row "
                        "= t.pipeline_row and n.pipeline_col = t.pipeline_col where t.id = ?)",
                        {id}));
        if (tasks.rows.empty()) return {};
        auto pipeline = tasks.number(0, "pipeline_id");
        TARN_TRY(check_can_rerun(pipeline));
        TARN_ASSIGN(auto shown, rerun(pipeline, tasks));
        out = shown.at(0);
        return {};
    }));
    return out;
}

}  // namespace tarn::run
