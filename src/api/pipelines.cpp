#include "api/pipelines.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/subtask_rows.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "run/job.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

constexpr const char* queued = "('TASK_CREATED', 'TASK_RERUN', 'TASK_RESUME')";

Json time_json(const ControlRows& rows, std::size_t row, std::string_view column) {
    Millis time = 0;
    if (parse_time(rows.text(row, column), time) != Parsed::ok) return nullptr;
    return format_millis(time);
}

std::string sql_now() { return format_sql(now_millis()); }

Millis millis_of(const ControlRows& rows, std::size_t row, std::string_view column) {
    Millis time = 0;
    return parse_time(rows.text(row, column), time) == Parsed::ok ? time : 0;
}

// ---- checks of a body

Failure wrong(const std::string& where, const std::string& message) {
    return fail(ErrorKind::bad_data, message, where);
}

Result<> check_task(const Json& task, const std::string& where) {
    if (!task.is_object()) return wrong(where, "must be an object with plugin and options");
    auto plugin = task.find("plugin");
    if (plugin == task.end() || !plugin->is_string() || plugin->get_ref<const std::string&>().empty())
        return wrong(where, "must name a plugin");
    auto options = task.find("options");
    if (options != task.end() && !options->is_null() && !options->is_object())
        return wrong(where + ".options", "must be an object");
    auto subtasks = task.find("subtasks");
    if (subtasks == task.end() || subtasks->is_null()) return {};
    bool texts = subtasks->is_array() &&
                 std::ranges::all_of(*subtasks, [](const Json& name) { return name.is_string(); });
    return texts ? Result<>() : wrong(where + ".subtasks", "must be a list of names");
}

Result<std::int64_t> check_plan(const Json& plan) {
    std::int64_t tasks = 0;
    if (!plan.is_array()) return wrong("plan", "must be a list of stages, each a list of tasks");
    for (std::size_t s = 0; s < plan.size(); ++s) {
        if (!plan[s].is_array()) return wrong(fmt::format("plan[{}]", s), "must be a list of tasks");
        for (std::size_t t = 0; t < plan[s].size(); ++t) {
            TARN_TRY(check_task(plan[s][t], fmt::format("plan[{}][{}]", s, t)));
            ++tasks;
        }
    }
    if (tasks == 0) return wrong("plan", "no task to run");
    return tasks;
}

Json member(const Json& object, const std::string& name, const Json& otherwise) {
    auto found = object.find(name);
    return found == object.end() || found->is_null() ? otherwise : *found;
}

Result<ControlValue> time_of(const Json& body, const std::string& name) {
    Json value = member(body, name, "");
    Millis time = 0;
    if (!value.is_string()) return wrong(name, "must be a time such as 2026-11-23T13:55:38Z");
    auto parsed = parse_time(value.get<std::string>(), time);
    if (parsed == Parsed::none) return ControlValue();
    if (parsed == Parsed::bad) return wrong(name, "must be a time such as 2026-11-23T13:55:38Z");
    return ControlValue(format_sql(time));
}

Result<std::int64_t> flag_of(const Json& body, const std::string& name) {
    Json value = member(body, name, false);
    if (!value.is_boolean()) return wrong(name, "must be true or false");
    return std::int64_t{value.get<bool>()};
}

Result<std::int64_t> number_of(const Json& body, const std::string& name) {
    Json value = member(body, name, 0);
    if (!value.is_number_integer()) return wrong(name, "must be a whole number");
    return value.get<std::int64_t>();
}

struct NewPipeline {
    std::string name;
    std::int64_t blueprint_id = 0, priority = 0, skip_on_fail = 0, full_sync = 0, skip_collectors = 0,
                 tasks = 0;
    ControlValue time_after;
    Json plan;
    std::vector<std::string> labels;
};

Result<NewPipeline> read_body(const Json& body) {
    if (!body.is_object()) return wrong("body", "must be a JSON object");
    NewPipeline made;
    made.plan = member(body, "plan", Json::array());
    TARN_ASSIGN(made.tasks, check_plan(made.plan));
    Json name = member(body, "name", "");
    if (!name.is_string()) return wrong("name", "must be a text");
    made.name = name.get<std::string>();
    TARN_ASSIGN(made.blueprint_id, number_of(body, "blueprintId"));
    TARN_ASSIGN(made.priority, number_of(body, "priority"));
    TARN_ASSIGN(made.skip_on_fail, flag_of(body, "skipOnFail"));
    TARN_ASSIGN(made.full_sync, flag_of(body, "fullSync"));
    TARN_ASSIGN(made.skip_collectors, flag_of(body, "skipCollectors"));
    TARN_ASSIGN(made.time_after, time_of(body, "timeAfter"));
    for (const auto& label : member(body, "labels", Json::array())) {
        if (!label.is_string()) return wrong("labels", "must be a list of texts");
        made.labels.push_back(label.get<std::string>());
    }
    return made;
}

std::vector<std::string> names_of(const std::string& json) {
    std::vector<std::string> names;
    auto list = Json::parse(json, nullptr, false);
    if (!list.is_array()) return names;
    for (const auto& name : list) names.push_back(name.get<std::string>());
    return names;
}

Result<Json> decrypted(const run::Home& home, const ControlRows& rows, std::size_t row,
                       std::string_view column) {
    if (rows.is_null(row, column)) return Json();
    TARN_ASSIGN(auto text, home.cipher().decrypt(rows.text(row, column)));
    auto json = Json::parse(text, nullptr, false);
    return json.is_discarded() ? Json() : json;
}

}  // namespace

Pipelines::Pipelines(const run::Home& home, const run::Platform& platform)
    : home_(home), platform_(platform) {}

Pipelines::~Pipelines() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
        for (auto& [id, cancel] : running_) cancel.cancel();
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Result<> Pipelines::start() {
    for (const auto* table : {"_devlake_pipelines", "_devlake_tasks"}) {
        TARN_TRY(home_.control().run(
            fmt::format("update {} set status = 'TASK_RESUME' where status = 'TASK_RUNNING'", table)));
    }
    thread_ = std::thread([this] { work(); });
    return {};
}

// ---- rows

Result<> Pipelines::insert_tasks(std::int64_t pipeline_id, const Json& plan) {
    auto now = sql_now();
    for (std::size_t s = 0; s < plan.size(); ++s) {
        for (std::size_t t = 0; t < plan[s].size(); ++t) {
            const Json& task = plan[s][t];
            TARN_ASSIGN(auto options, home_.cipher().encrypt(member(task, "options", Json::object()).dump()));
            TARN_TRY(home_.control().insert(
                "insert into _devlake_tasks (created_at, updated_at, plugin, subtasks, options, status, "
                "message, error_name, progress, failed_sub_task, "
                "pipeline_id, pipeline_row, pipeline_col, spent_seconds) values (?, ?, ?, ?, ?, "
                "'TASK_CREATED', '', '', 0, '', ?, ?, ?, 0)",
                {now, now, task["plugin"].get<std::string>(), member(task, "subtasks", Json::array()).dump(),
                 options, pipeline_id, static_cast<std::int64_t>(s) + 1, static_cast<std::int64_t>(t) + 1}));
        }
    }
    return {};
}

Result<Json> Pipelines::create(const Json& body) {
    TARN_ASSIGN(auto made, read_body(body));
    TARN_ASSIGN(auto plan, home_.cipher().encrypt(made.plan.dump()));
    std::int64_t id = 0;
    auto now = sql_now();
    TARN_TRY(home_.control().transaction([&]() -> Result<> {
        TARN_ASSIGN(id, home_.control().insert(
                            "insert into _devlake_pipelines (created_at, updated_at, name, blueprint_id, "
                            "plan, total_tasks, finished_tasks, status, message, "
                            "error_name, spent_seconds, stage, priority, skip_on_fail, full_sync, "
                            "skip_collectors, time_after) "
                            "values (?, ?, ?, ?, ?, ?, 0, 'TASK_CREATED', '', '', 0, 0, ?, ?, ?, ?, ?)",
                            {now, now, made.name, made.blueprint_id, plan, made.tasks, made.priority,
                             made.skip_on_fail, made.full_sync, made.skip_collectors, made.time_after}));
        for (const auto& label : made.labels) {
            TARN_TRY(
                home_.control().run("insert into _devlake_pipeline_labels (created_at, updated_at, "
                                    "pipeline_id, name) values (?, ?, ?, ?) "
                                    "on conflict do nothing",
                                    {now, now, id, label}));
        }
        return insert_tasks(id, made.plan);
    }));
    wake_.notify_all();
    TARN_ASSIGN(auto found, find(id));
    if (!found) return fail(ErrorKind::bug, "a new pipeline is not found");
    return *found;
}

Result<Json> Pipelines::shown_pipeline(const ControlRows& rows, std::size_t row) {
    auto id = rows.number(row, "id");
    TARN_ASSIGN(auto plan, decrypted(home_, rows, row, "plan"));
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
                {"plan", plan},
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

Result<std::optional<Json>> Pipelines::find(std::int64_t id) {
    TARN_ASSIGN(auto rows, home_.control().query("select * from _devlake_pipelines where id = ?", {id}));
    if (rows.rows.empty()) return std::optional<Json>();
    TARN_ASSIGN(auto shown, shown_pipeline(rows, 0));
    return std::optional<Json>(std::move(shown));
}

Result<Json> Pipelines::list(const PipelineFilter& filter) {
    std::string condition = "true";
    std::vector<ControlValue> parameters;
    auto add = [&](const std::string& text, const ControlValue& value) {
        condition += " and " + text;
        parameters.push_back(value);
    };
    if (!filter.status.empty()) add("status = ?", filter.status);
    if (filter.blueprint_id != 0) add("blueprint_id = ?", filter.blueprint_id);
    if (!filter.label.empty())
        add("id in (select pipeline_id from _devlake_pipeline_labels where name = ?)", filter.label);
    if (filter.pending)
        condition += " and finished_at is null and status in ('TASK_CREATED', 'TASK_RERUN', 'TASK_RUNNING')";
    TARN_ASSIGN(
        auto count,
        home_.control().query("select count(*) as n from _devlake_pipelines where " + condition, parameters));
    parameters.emplace_back(filter.page_size);
    parameters.emplace_back((filter.page - 1) * filter.page_size);
    TARN_ASSIGN(auto rows, home_.control().query("select * from _devlake_pipelines where " + condition +
                                                     " order by id desc limit ? offset ?",
                                                 parameters));
    Json pipelines = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        TARN_ASSIGN(auto shown, shown_pipeline(rows, row));
        pipelines.push_back(std::move(shown));
    }
    return Json{{"count", count.number(0, "n")}, {"pipelines", pipelines}};
}

Result<Json> Pipelines::shown_task(const ControlRows& rows, std::size_t row) {
    TARN_ASSIGN(auto options, decrypted(home_, rows, row, "options"));
    auto subtasks = Json::parse(rows.text(row, "subtasks"), nullptr, false);
    auto progress = std::strtod(rows.text(row, "progress").c_str(), nullptr);
    return Json{{"id", rows.number(row, "id")},
                {"createdAt", time_json(rows, row, "created_at")},
                {"updatedAt", time_json(rows, row, "updated_at")},
                {"plugin", rows.text(row, "plugin")},
                {"subtasks", subtasks.is_discarded() ? Json() : subtasks},
                {"options", options},
                {"status", rows.text(row, "status")},
                {"message", rows.text(row, "message")},
                {"errorName", rows.text(row, "error_name")},
                {"progress", progress},
                {"progressDetail", nullptr},
                {"failedSubTask", rows.text(row, "failed_sub_task")},
                {"pipelineId", rows.number(row, "pipeline_id")},
                {"pipelineRow", rows.number(row, "pipeline_row")},
                {"pipelineCol", rows.number(row, "pipeline_col")},
                {"beganAt", time_json(rows, row, "began_at")},
                {"finishedAt", time_json(rows, row, "finished_at")},
                {"spentSeconds", rows.number(row, "spent_seconds")}};
}

Result<Json> Pipelines::tasks(std::int64_t pipeline_id) {
    TARN_ASSIGN(auto rows, home_.control().query("select * from _devlake_tasks where id in (select max(id) "
                                                 "from _devlake_tasks where pipeline_id = ? "
                                                 "group by pipeline_row, pipeline_col) order by id desc",
                                                 {pipeline_id}));
    Json tasks = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        TARN_ASSIGN(auto shown, shown_task(rows, row));
        tasks.push_back(std::move(shown));
    }
    auto count = tasks.size();
    return Json{{"tasks", tasks.empty() ? Json() : std::move(tasks)}, {"count", count}};
}

Result<bool> Pipelines::cancel(std::int64_t id) {
    TARN_ASSIGN(auto rows, home_.control().query("select id from _devlake_pipelines where id = ?", {id}));
    if (rows.rows.empty()) return false;
    std::lock_guard lock(mutex_);
    if (auto running = running_.find(id); running != running_.end()) running->second.cancel();
    auto now = sql_now();
    for (const auto* table : {"_devlake_pipelines where id", "_devlake_tasks where pipeline_id"}) {
        std::string name = table;
        auto at = name.find(" where ");
        TARN_TRY(home_.control().run(fmt::format("update {} set status = 'TASK_CANCELLED', finished_at = ?, "
                                                 "updated_at = ?{} = ? and status in {}",
                                                 name.substr(0, at), name.substr(at), queued),
                                     {now, now, id}));
    }
    return true;
}

Result<bool> Pipelines::while_idle(const std::function<Result<>()>& work) {
    std::lock_guard lock(mutex_);
    if (!running_.empty()) return false;
    TARN_TRY(work());
    return true;
}

// ---- the worker

void Pipelines::work() {
    while (true) {
        Result<std::optional<std::int64_t>> next;
        CancelToken cancel;
        {
            std::unique_lock lock(mutex_);
            if (stopping_) return;
            next = take_next();
            if (next && !*next) {
                // Polled, too: a row may come from elsewhere.
                wake_.wait_for(lock, std::chrono::seconds(1));
                continue;
            }
            if (next) running_[**next] = cancel;
        }
        if (!next) {
            log()->error("pipelines: {}", next.error().text());
            std::this_thread::sleep_for(std::chrono::seconds(5));
            continue;
        }
        auto outcome = run_pipeline(**next, cancel);
        std::lock_guard lock(mutex_);
        running_.erase(**next);
        // Left as it is, so that the next start goes on with it.
        if (stopping_ && !outcome && outcome.error().kind == ErrorKind::cancelled) return;
        if (auto finished = finish_pipeline(**next, outcome); !finished)
            log()->error("pipeline {}: {}", **next, finished.error().text());
    }
}

Result<std::optional<std::int64_t>> Pipelines::take_next() {
    TARN_ASSIGN(auto rows,
                home_.control().query(fmt::format(
                    "select id from _devlake_pipelines where status in {} order by priority desc, id limit 1",
                    queued)));
    if (rows.rows.empty()) return std::optional<std::int64_t>();
    auto id = rows.number(0, "id");
    auto now = sql_now();
    TARN_TRY(
        home_.control().run("update _devlake_pipelines set status = 'TASK_RUNNING', message = '', began_at = "
                            "?, updated_at = ? where id = ?",
                            {now, now, id}));
    return std::optional<std::int64_t>(id);
}

Result<> Pipelines::run_pipeline(std::int64_t id, const CancelToken& cancel) {
    TARN_ASSIGN(auto pipeline, home_.control().query("select * from _devlake_pipelines where id = ?", {id}));
    TARN_ASSIGN(auto stages,
                home_.control().query(
                    "select max(pipeline_row) as last from _devlake_tasks where pipeline_id = ?", {id}));
    log()->info("pipeline {} begins", id);
    answers_ = std::make_unique<connector::SharedAnswers>();
    for (std::int64_t stage = 1; stage <= stages.number(0, "last"); ++stage) {
        TARN_TRY(home_.control().run("update _devlake_pipelines set stage = ? where id = ?", {stage, id}));
        auto outcome = run_stage(pipeline, stage, cancel);
        bool go_on = outcome || (pipeline.number(0, "skip_on_fail") != 0 &&
                                 outcome.error().kind != ErrorKind::cancelled);
        if (!go_on) return outcome;
    }
    return {};
}

Result<> Pipelines::run_stage(const ControlRows& pipeline, std::int64_t stage, const CancelToken& cancel) {
    TARN_ASSIGN(
        auto tasks,
        home_.control().query(
            fmt::format(
                "select * from _devlake_tasks where pipeline_id = ? and pipeline_row = ? and status in {} "
                "order by pipeline_col",
                queued),
            {pipeline.number(0, "id"), stage}));
    Result<> first;
    for (std::size_t row = 0; row < tasks.rows.size(); ++row) {
        auto outcome = run_one_task(pipeline, tasks, row, cancel);
        if (!outcome && first) first = outcome;
        if (cancel.cancelled()) break;
    }
    return first;
}

namespace {

// Runs one task and keeps its subtasks' rows. `failed`: the subtask that failed.
Result<> run_prepared(const run::Home& home, const run::JobRequest& request, std::int64_t task_id,
                      std::string& failed) {
    failed = "unknown";
    TARN_ASSIGN(auto job, run::prepare_job(home, request));
    TARN_ASSIGN(auto subtasks, run::chosen_subtasks(request.connector->connector, request.subtasks,
                                                    request.skip_collectors));
    SubtaskRows rows(home.control(), task_id);
    TARN_TRY(rows.begin(request.connector->connector, subtasks));
    auto outcome = run::run_task(job.spec, *job.client, home.data(), home.control(),
                                 [&](const run::Progress& progress) { rows.told(progress); });
    TARN_ASSIGN(failed, rows.end(outcome));
    if (!outcome) return fail(outcome.error());
    return {};
}

}  // namespace

Result<> Pipelines::run_one_task(const ControlRows& pipeline, const ControlRows& tasks, std::size_t row,
                                 const CancelToken& cancel) {
    auto& control = home_.control();
    auto id = tasks.number(row, "id");
    auto began = tasks.is_null(row, "began_at") ? now_millis() : millis_of(tasks, row, "began_at");
    TARN_TRY(
        control.run("update _devlake_tasks set status = 'TASK_RUNNING', message = '', began_at = ?, "
                    "updated_at = ? where id = ?",
                    {format_sql(began), sql_now(), id}));
    run::JobRequest request;
    request.connector = platform_.connector(tasks.text(row, "plugin"));
    request.subtasks = names_of(tasks.text(row, "subtasks"));
    request.full_sync = pipeline.number(0, "full_sync") != 0;
    request.skip_collectors = pipeline.number(0, "skip_collectors") != 0;
    request.time_after = millis_of(pipeline, 0, "time_after");
    request.cancel = cancel;
    request.answers = answers_.get();
    TARN_ASSIGN(request.options, decrypted(home_, tasks, row, "options"));
    std::string failed = "unknown";
    Result<> outcome =
        request.connector == nullptr
            ? fail(ErrorKind::bad_data, "there is no plugin '" + tasks.text(row, "plugin") + "'", {},
                   "`tarn connector list` lists them.")
            : run_prepared(home_, request, id, failed);
    bool cancelled = !outcome && outcome.error().kind == ErrorKind::cancelled;
    {
        std::lock_guard lock(mutex_);
        if (cancelled && stopping_) return outcome;
    }
    std::string status = outcome ? "TASK_COMPLETED" : cancelled ? "TASK_CANCELLED" : "TASK_FAILED";
    std::string message = outcome ? "" : outcome.error().text();
    Millis end = now_millis();
    TARN_TRY(control.run(
        "update _devlake_tasks set status = ?, message = ?, error_name = ?, failed_sub_task = ?, progress = "
        "case when ? then 1 else "
        "progress end, finished_at = ?, spent_seconds = ?, updated_at = ? where id = ?",
        {status, message, message, status == "TASK_FAILED" ? failed : "", std::int64_t{outcome.has_value()},
         format_sql(end), (end - began) / 1000, format_sql(end), id}));
    TARN_TRY(control.run("update _devlake_pipelines set finished_tasks = finished_tasks + 1 where id = ?",
                         {pipeline.number(0, "id")}));
    return outcome;
}

Result<> Pipelines::finish_pipeline(std::int64_t id, const Result<>& outcome) {
    TARN_ASSIGN(auto rows, home_.control().query("select * from _devlake_pipelines where id = ?", {id}));
    TARN_ASSIGN(auto tasks, home_.control().query("select status from _devlake_tasks where id in (select "
                                                  "max(id) from _devlake_tasks where pipeline_id = ? "
                                                  "group by pipeline_row, pipeline_col)",
                                                  {id}));
    std::int64_t failed = 0, completed = 0;
    for (std::size_t row = 0; row < tasks.rows.size(); ++row) {
        auto status = tasks.text(row, "status");
        failed += status == "TASK_FAILED" || status == "TASK_CANCELLED" ? 1 : 0;
        completed += status == "TASK_COMPLETED" ? 1 : 0;
    }
    std::string status = "TASK_FAILED";
    if (!outcome && outcome.error().kind == ErrorKind::cancelled) {
        status = "TASK_CANCELLED";
    } else if (outcome && failed == 0) {
        status = "TASK_COMPLETED";
    } else if (rows.number(0, "skip_on_fail") != 0 && completed > 0) {
        status = "TASK_PARTIAL";
    }
    std::string message = outcome ? "" : outcome.error().text();
    Millis end = now_millis();
    TARN_TRY(
        home_.control().run("update _devlake_pipelines set status = ?, message = ?, error_name = ?, "
                            "finished_at = ?, spent_seconds = ?, updated_at = ? "
                            "where id = ?",
                            {status, message, message, format_sql(end),
                             (end - millis_of(rows, 0, "began_at")) / 1000, format_sql(end), id}));
    log()->info("pipeline {} ends: {}{}", id, status, message.empty() ? "" : ": " + message);
    return {};
}

}  // namespace tarn::api
