#include "run/task_run.h"

#include <vector>

#include <fmt/format.h>

#include "base/log.h"
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

}  // namespace

TaskRun::TaskRun(const RunContext& context, ControlRows pipeline, ControlRows task, CancelToken cancel,
                 Answers answers)
    : context_(context),
      pipeline_(std::move(pipeline)),
      task_(std::move(task)),
      id_(task_.number(0, "id")),
      pipeline_id_(pipeline_.number(0, "id")),
      plugin_(task_.text(0, "plugin")),
      cancel_(std::move(cancel)),
      answers_(std::move(answers)),
      log_(context.home, pipeline_id_, millis_of(pipeline_, 0, "created_at")) {}

// What the database hinders for a while is tried again: the leases hold as long as this process is heard of.
Result<> TaskRun::persist(const std::function<Result<>()>& work) {
    while (true) {
        auto done = work();
        if (done || !context_.home.is_passing(done.error()) || context_.interrupted) return done;
        context_.wait();
    }
}

TaskEnd TaskRun::run(bool last_try) {
    began_ = task_.is_null(0, "began_at") ? now_millis() : millis_of(task_, 0, "began_at");
    auto outcome = work();
    context_.running.drop(id_);
    bool cancelled = !outcome && outcome.error().kind == ErrorKind::cancelled;
    bool hindered = !outcome && context_.home.is_passing(outcome.error()) && !last_try;
    bool left = gone_ || blocked_ || hindered || (cancelled && context_.interrupted);
    if (hindered) log()->warn("task {} is to be done again: {}", id_, outcome.error().text());
    auto written = persist([&] { return gone_ ? let_go() : left ? give_back() : finish(outcome); });
    if (!written) log()->error("task {}: {}", id_, written.error().text());
    return blocked_ ? TaskEnd::blocked : left || !written ? TaskEnd::left : TaskEnd::ended;
}

// Not begun by this process where somebody has cancelled it, or its scope is worked on.
Result<> TaskRun::begin() {
    auto& control = context_.home.control();
    auto now = format_sql(now_millis());
    return context_.leases.alone([&]() -> Result<> {
        TARN_ASSIGN(has_scope_, context_.leases.take(lease_of_scope(scope_)));
        blocked_ = !has_scope_;
        if (blocked_) return {};
        TARN_ASSIGN(
            auto begun,
            control.run(fmt::format("update _devlake_tasks set status = 'TASK_RUNNING', message = '', "
                                    "began_at = coalesce(began_at, ?), updated_at = ? where id = ? and "
                                    "status in {}",
                                    queued_states),
                        {now, now, id_}));
        gone_ = begun == 0;
        return {};
    });
}

Result<> TaskRun::work() {
    auto& home = context_.home;
    JobRequest request;
    request.connector = context_.platform.connector(plugin_);
    if (request.connector == nullptr)
        return fail(ErrorKind::bad_data, "there is no plugin '" + plugin_ + "'", {},
                    "`tarn connector list` lists them.");
    request.subtasks = names_of(task_.text(0, "subtasks"));
    request.full_sync = pipeline_.number(0, "full_sync") != 0;
    request.skip_collectors = pipeline_.number(0, "skip_collectors") != 0;
    request.time_after = millis_of(pipeline_, 0, "time_after");
    request.cancel = cancel_;
    request.answers = answers_.get();
    request.budgets = &context_.budgets;
    TARN_ASSIGN(request.options, PipelineRows(home).decrypted(task_, 0, "options"));
    TARN_ASSIGN(auto job, prepare_job(home, request));
    scope_ = scope_of(job);
    TARN_TRY(begin());
    if (blocked_ || gone_) return {};
    // What others wrote of the scope; from here on nobody else does.
    TARN_TRY(home.data().catch_up());
    TARN_ASSIGN(auto subtasks,
                chosen_subtasks(request.connector->connector, request.subtasks, request.skip_collectors));
    auto log = log_.task(id_, task_.number(0, "pipeline_row"), task_.number(0, "pipeline_col"), plugin_);
    log->info("begins: {} {}", plugin_, job.spec.values.params);
    SubtaskRows rows(home.control(), id_, log, context_.running);
    TARN_TRY(rows.begin(request.connector->connector, subtasks));
    auto outcome = run::run_task(job.spec, *job.client, home.data(), home.control(),
                                 [&](const Progress& progress) { rows.told(progress); });
    auto failed = rows.end(outcome);
    if (!outcome) {
        failed_ = failed.value_or(failed_);
        return fail(outcome.error());
    }
    if (!failed) return fail(failed.error());
    TARN_ASSIGN(auto problems, TaskCounts(home.control()).save(id_, plugin_, request.options, *outcome));
    context_.running.wrote(plugin_, *outcome);
    for (const auto& problem : problems) log->warn("{}", problem);
    log->info("ends: {}", summary_text(*outcome));
    return {};
}

// ---- what becomes of the row; of one that is no longer ours, nothing

Result<> TaskRun::let_go() {
    return context_.leases.alone([&]() -> Result<> {
        if (has_scope_) TARN_TRY(context_.leases.let_go(lease_of_scope(scope_)));
        return context_.leases.let_go(lease_of(task_lease, id_));
    });
}

Result<> TaskRun::give_back() {
    TARN_TRY(context_.leases.as_owner(lease_of(task_lease, id_), [&]() -> Result<> {
        TARN_TRY(context_.home.control().run(
            "update _devlake_tasks set status = 'TASK_RESUME', updated_at = ? where id = ? and status = "
            "'TASK_RUNNING'",
            {format_sql(now_millis()), id_}));
        return let_go();
    }));
    return {};
}

Result<> TaskRun::finish(const Result<>& outcome) {
    bool cancelled = !outcome && outcome.error().kind == ErrorKind::cancelled;
    std::string status = outcome ? "TASK_COMPLETED" : cancelled ? "TASK_CANCELLED" : "TASK_FAILED";
    std::string message = outcome ? "" : outcome.error().text();
    Millis end = now_millis();
    TARN_ASSIGN(bool ours, context_.leases.as_owner(lease_of(task_lease, id_), [&]() -> Result<> {
        TARN_TRY(context_.home.control().run(
            "update _devlake_tasks set status = ?, message = ?, error_name = ?, failed_sub_task = ?, "
            "progress = "
            "case when ? then 1 else progress end, began_at = coalesce(began_at, ?), finished_at = ?, "
            "spent_seconds = ?, updated_at = ? where id = ?",
            {status, message, message, status == "TASK_FAILED" ? failed_ : "",
             std::int64_t{outcome.has_value()}, cancelled ? ControlValue() : ControlValue(format_sql(began_)),
             format_sql(end), (end - began_) / 1000, format_sql(end), id_}));
        TARN_TRY(count_finished(context_.home.control(), pipeline_id_));
        return let_go();
    }));
    if (!ours) return {};
    if (context_.platform.connector(plugin_) != nullptr)
        context_.running.ended(plugin_, status, static_cast<double>(end - began_) / 1000);
    if (!outcome)
        log_.pipeline()->warn("task {} ({}): {}{}", id_, plugin_, status,
                              message.empty() ? "" : ": " + message);
    return {};
}

}  // namespace tarn::run
