#include "run/pipeline_run.h"

#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"

namespace tarn::run {
namespace {

struct StageState {
    bool open = false, cancelled = false;
    std::vector<std::string> failures;
};

StageState state_of(const ControlRows& tasks) {
    StageState state;
    for (std::size_t row = 0; row < tasks.rows.size(); ++row) {
        auto status = tasks.text(row, "status");
        state.open = state.open || tasks.number(row, "ended") == 0;
        state.cancelled = state.cancelled || status == "TASK_CANCELLED";
        if (status == "TASK_FAILED") state.failures.push_back(tasks.text(row, "message"));
    }
    return state;
}

// The reason of a stage: a cancellation, else all messages, a line each.
Result<> outcome_of(const StageState& state) {
    if (state.cancelled) return fail(ErrorKind::cancelled, "cancelled");
    if (state.failures.empty()) return {};
    return fail(ErrorKind::terminal, join(state.failures, "\n"));
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
        TARN_TRY(enter_stage(stage));
        auto outcome = run_stage(stage);
        if (outcome) continue;
        if (context_.home.is_passing(outcome.error())) return outcome;
        bool skips = pipeline_.number(0, "skip_on_fail") != 0 && outcome.error().kind != ErrorKind::cancelled;
        if (!skips) return outcome;
    }
    return {};
}

// One that was taken for dead must not set back what others have gone on with.
Result<> PipelineRun::enter_stage(std::int64_t stage) {
    TARN_ASSIGN(bool ours, context_.leases.as_owner(lease_of(pipeline_lease, id_), [&]() -> Result<> {
        TARN_TRY(context_.home.control().run("update _devlake_pipelines set stage = ? where id = ?",
                                             {stage, id_}));
        return {};
    }));
    if (!ours) return fail(ErrorKind::cancelled, "another process goes on with the pipeline");
    context_.told();
    return {};
}

Result<> PipelineRun::run_stage(std::int64_t stage) {
    auto& control = context_.home.control();
    while (true) {
        if (context_.interrupted) return fail(ErrorKind::cancelled, "cancelled");
        if (cancel_.cancelled()) TARN_TRY(cancel_waiting());
        TARN_ASSIGN(
            auto tasks,
            control.query(fmt::format("select status, message, case when status in {} then 1 else 0 end as "
                                      "ended from _devlake_tasks where {} and pipeline_row = ? order by "
                                      "pipeline_col",
                                      final_states, newest_tasks),
                          {id_, stage}));
        auto state = state_of(tasks);
        if (!state.open) return outcome_of(state);
        context_.wait();
    }
}

// Those that work end by themselves, wherever they do.
Result<> PipelineRun::cancel_waiting() {
    auto now = format_sql(now_millis());
    TARN_TRY(context_.home.control().run(
        fmt::format(
            "update _devlake_tasks set status = 'TASK_CANCELLED', finished_at = ?, updated_at = ? where "
            "status in {} and pipeline_id = ?",
            queued_states),
        {now, now, id_}));
    return {};
}

// ---- the end

Result<> count_finished(ControlStore& control, std::int64_t pipeline_id) {
    TARN_TRY(control.run(
        fmt::format(
            "update _devlake_pipelines set finished_tasks = (select count(*) from _devlake_tasks where {} "
            "and status in {} and began_at is not null) where id = ?",
            newest_tasks, final_states),
        {pipeline_id, pipeline_id}));
    return {};
}

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

Result<bool> PipelineRun::finish(const Result<>& outcome) {
    auto& control = context_.home.control();
    auto message = outcome ? std::string() : outcome.error().text();
    auto lease = lease_of(pipeline_lease, id_);
    std::string status;
    TARN_ASSIGN(bool ours, context_.leases.as_owner(lease, [&]() -> Result<> {
        if (!outcome && outcome.error().kind == ErrorKind::cancelled) TARN_TRY(cancel_waiting());
        TARN_ASSIGN(status, final_status(outcome));
        Millis end = now_millis();
        TARN_TRY(count_finished(control, id_));
        TARN_TRY(
            control.run("update _devlake_pipelines set status = ?, message = ?, error_name = ?, finished_at "
                        "= ?, spent_seconds = ?, updated_at = ? where id = ?",
                        {status, message, message, format_sql(end),
                         (end - millis_of(pipeline_, 0, "began_at")) / 1000, format_sql(end), id_}));
        TARN_TRY(control.run("delete from _tarn_cancels where pipeline_id = ?", {id_}));
        return context_.leases.let_go(lease);
    }));
    log_.pipeline()->info("ends: {}{}", ours ? status : "elsewhere", message.empty() ? "" : ": " + message);
    return ours;
}

}  // namespace tarn::run
