#include "run/pipeline_run.h"

#include <future>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "run/job.h"
#include "run/subtask_rows.h"
#include "run/task_counts.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

std::vector<std::string> names_of(const std::string& json) {
    auto list = Json::parse(json, nullptr, false);
    return list.is_array() ? list.get<std::vector<std::string>>() : std::vector<std::string>();
}

std::string summary_text(const TaskSummary& summary) {
    std::string out = fmt::format("{} requests, {} ms", summary.requests, summary.milliseconds);
    if (summary.rejected > 0) out += fmt::format(", {} items put aside", summary.rejected);
    for (const auto& [table, count] : summary.tables) {
        if (count.added + count.changed + count.deleted == 0) continue;
        out += fmt::format("\n  {}: {} added, {} changed, {} deleted", table, count.added, count.changed,
                           count.deleted);
    }
    return out;
}

// The reason of a stage: a cancellation, else all messages, a line each.
Result<> joined(const std::vector<Result<>>& outcomes) {
    std::vector<std::string> texts;
    const Error* first = nullptr;
    for (const auto& outcome : outcomes) {
        if (outcome) continue;
        if (outcome.error().kind == ErrorKind::cancelled) return fail(outcome.error());
        if (first == nullptr) first = &outcome.error();
        texts.push_back(outcome.error().text());
    }
    if (first == nullptr) return {};
    if (texts.size() == 1) return fail(*first);
    return fail(first->kind, join(texts, "\n"));
}

}  // namespace

PipelineRun::PipelineRun(const RunContext& context, ControlRows pipeline, CancelToken cancel)
    : context_(context),
      pipeline_(std::move(pipeline)),
      id_(pipeline_.number(0, "id")),
      cancel_(std::move(cancel)),
      log_(context.home, id_, millis_of(pipeline_, 0, "created_at")) {}

Result<> PipelineRun::run() {
    auto& control = context_.home.control();
    TARN_ASSIGN(
        auto stages,
        control.query("select max(pipeline_row) as last from _devlake_tasks where pipeline_id = ?", {id_}));
    log_.pipeline()->info("begins: {} tasks", pipeline_.number(0, "total_tasks"));
    for (std::int64_t stage = 1; stage <= stages.number(0, "last"); ++stage) {
        if (cancel_.cancelled()) return fail(ErrorKind::cancelled, "cancelled");
        TARN_TRY(control.run("update _devlake_pipelines set stage = ? where id = ?", {stage, id_}));
        auto outcome = run_stage(stage);
        if (outcome) continue;
        bool skips = pipeline_.number(0, "skip_on_fail") != 0 && outcome.error().kind != ErrorKind::cancelled;
        if (!skips) return outcome;
    }
    return {};
}

Result<> PipelineRun::run_stage(std::int64_t stage) {
    TARN_ASSIGN(auto tasks,
                context_.home.control().query(
                    fmt::format("select * from _devlake_tasks where pipeline_id = ? and pipeline_row "
                                "= ? and status in {} order by pipeline_col",
                                queued_states),
                    {id_, stage}));
    std::vector<std::future<Result<>>> running;
    for (std::size_t row = 0; row < tasks.rows.size(); ++row)
        running.push_back(std::async(std::launch::async, [&, row] { return run_task(tasks, row); }));
    std::vector<Result<>> outcomes;
    for (auto& task : running) outcomes.push_back(task.get());
    return joined(outcomes);
}

Result<> PipelineRun::run_task(const ControlRows& tasks, std::size_t row) {
    auto id = tasks.number(row, "id");
    auto began = tasks.is_null(row, "began_at") ? now_millis() : millis_of(tasks, row, "began_at");
    std::string failed = "unknown";
    auto outcome = work_on(tasks, row, failed);
    context_.running.drop(id);
    bool interrupted = !outcome && outcome.error().kind == ErrorKind::cancelled && context_.stopping;
    if (interrupted) return outcome;
    TARN_TRY(finish_task(tasks, row, began, outcome, failed));
    return outcome;
}

// ---- one task

Result<> PipelineRun::work_on(const ControlRows& tasks, std::size_t row, std::string& failed) {
    auto& control = context_.home.control();
    auto id = tasks.number(row, "id");
    auto plugin = tasks.text(row, "plugin");
    JobRequest request;
    request.connector = context_.platform.connector(plugin);
    if (request.connector == nullptr)
        return fail(ErrorKind::bad_data, "there is no plugin '" + plugin + "'", {},
                    "`tarn connector list` lists them.");
    request.subtasks = names_of(tasks.text(row, "subtasks"));
    request.full_sync = pipeline_.number(0, "full_sync") != 0;
    request.skip_collectors = pipeline_.number(0, "skip_collectors") != 0;
    request.time_after = millis_of(pipeline_, 0, "time_after");
    request.cancel = cancel_;
    request.answers = &answers_;
    request.budgets = &context_.budgets;
    TARN_ASSIGN(request.options, PipelineRows(context_.home).decrypted(tasks, row, "options"));
    TARN_ASSIGN(auto job, prepare_job(context_.home, request));
    TARN_ASSIGN(auto pass, context_.gate.enter(plugin + job.spec.values.params, cancel_));
    auto now = format_sql(now_millis());
    TARN_TRY(
        control.run("update _devlake_tasks set status = 'TASK_RUNNING', message = '', began_at = "
                    "coalesce(began_at, ?), updated_at = ? where id = ?",
                    {now, now, id}));
    TARN_ASSIGN(auto subtasks,
                chosen_subtasks(request.connector->connector, request.subtasks, request.skip_collectors));
    auto log = log_.task(id, tasks.number(row, "pipeline_row"), tasks.number(row, "pipeline_col"), plugin);
    log->info("begins: {} {}", plugin, job.spec.values.params);
    SubtaskRows rows(control, id, log, context_.running);
    TARN_TRY(rows.begin(request.connector->connector, subtasks));
    auto outcome = run::run_task(job.spec, *job.client, context_.home.data(), control,
                                 [&](const Progress& progress) { rows.told(progress); });
    TARN_ASSIGN(failed, rows.end(outcome));
    if (!outcome) return fail(outcome.error());
    TARN_ASSIGN(auto problems, TaskCounts(control).save(id, plugin, request.options, *outcome));
    context_.running.wrote(plugin, *outcome);
    for (const auto& problem : problems) log->warn("{}", problem);
    log->info("ends: {}", summary_text(*outcome));
    return {};
}

Result<> PipelineRun::finish_task(const ControlRows& tasks, std::size_t row, Millis began,
                                  const Result<>& outcome, const std::string& failed) {
    bool cancelled = !outcome && outcome.error().kind == ErrorKind::cancelled;
    std::string status = outcome ? "TASK_COMPLETED" : cancelled ? "TASK_CANCELLED" : "TASK_FAILED";
    std::string message = outcome ? "" : outcome.error().text();
    auto id = tasks.number(row, "id");
    Millis end = now_millis();
    TARN_TRY(context_.home.control().run(
        "update _devlake_tasks set status = ?, message = ?, error_name = ?, failed_sub_task = ?, progress = "
        "case when ? then 1 else progress end, began_at = coalesce(began_at, ?), finished_at = ?, "
        "spent_seconds = ?, updated_at = ? where id = ?",
        {status, message, message, status == "TASK_FAILED" ? failed : "", std::int64_t{outcome.has_value()},
         cancelled ? ControlValue() : ControlValue(format_sql(began)), format_sql(end), (end - began) / 1000,
         format_sql(end), id}));
    if (context_.platform.connector(tasks.text(row, "plugin")) != nullptr)
        context_.running.ended(tasks.text(row, "plugin"), status, static_cast<double>(end - began) / 1000);
    if (!outcome)
        log_.pipeline()->warn("task {} ({}): {}{}", id, tasks.text(row, "plugin"), status,
                              message.empty() ? "" : ": " + message);
    return count_finished();
}

Result<> PipelineRun::count_finished() {
    TARN_TRY(context_.home.control().run(
        fmt::format(
            "update _devlake_pipelines set finished_tasks = (select count(*) from _devlake_tasks where {} "
            "and status in {} and began_at is not null) where id = ?",
            newest_tasks, final_states),
        {id_, id_}));
    return {};
}

// ---- the end

Result<std::string> PipelineRun::final_status(const Result<>& outcome) {
    if (!outcome && outcome.error().kind == ErrorKind::cancelled) return "TASK_CANCELLED";
    TARN_ASSIGN(auto tasks,
                context_.home.control().query(
                    fmt::format("select status from _devlake_tasks where {}", newest_tasks), {id_}));
    bool failed = !outcome, completed = false;
    for (std::size_t row = 0; row < tasks.rows.size(); ++row) {
        auto status = tasks.text(row, "status");
        failed = failed || status == "TASK_FAILED" || status == "TASK_CANCELLED";
        completed = completed || status == "TASK_COMPLETED";
    }
    if (!failed) return "TASK_COMPLETED";
    return pipeline_.number(0, "skip_on_fail") != 0 && completed ? "TASK_PARTIAL" : "TASK_FAILED";
}

Result<> PipelineRun::finish(const Result<>& outcome) {
    TARN_ASSIGN(auto status, final_status(outcome));
    auto& control = context_.home.control();
    auto message = outcome ? std::string() : outcome.error().text();
    Millis end = now_millis();
    TARN_TRY(count_finished());
    TARN_TRY(
        control.run("update _devlake_pipelines set status = ?, message = ?, error_name = ?, finished_at = ?, "
                    "spent_seconds = ?, updated_at = ? where id = ?",
                    {status, message, message, format_sql(end),
                     (end - millis_of(pipeline_, 0, "began_at")) / 1000, format_sql(end), id_}));
    log_.pipeline()->info("ends: {}{}", status, message.empty() ? "" : ": " + message);
    return {};
}

}  // namespace tarn::run
