// One run of a pipeline: its stages one after the other. What a stage's tasks are is told by the pipeline's row; whoever has room takes them
// (run/task_run.h), this process or another one.
//
// A stage with a failed task is the last one, unless the pipeline skips failures. Tasks that have completed already are not run again.
// Thread rule: one thread runs it. Errors: those of its tasks, a line each; cancelled; those of the control store.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "run/budgets.h"
#include "run/home.h"
#include "run/leases.h"
#include "run/pipeline_log.h"
#include "run/pipeline_rows.h"
#include "run/platform.h"
#include "run/running_tasks.h"

namespace tarn::run {

// What all runs of a process share; outlives them.
struct RunContext {
    const Home& home;
    const Platform& platform;
    const Leases& leases;
    Budgets& budgets;
    RunningTasks& running;
    // The process ends, or was taken for dead: what is cancelled then goes on later, or elsewhere.
    const std::atomic<bool>& interrupted;
    // Until something has changed in this process, at most half a second.
    std::function<void()> wait;
    std::function<void()> told;  // something has changed
};

class PipelineRun {
  public:
    PipelineRun(const RunContext& context, ControlRows pipeline, CancelToken cancel);

    Result<> run();
    // Writes the pipeline's final state; false where it is no longer this process's.
    Result<bool> finish(const Result<>& outcome);

  private:
    Result<> enter_stage(std::int64_t stage);
    Result<> run_stage(std::int64_t stage);
    Result<> cancel_waiting();
    Result<std::string> final_status(const Result<>& outcome);

    const RunContext& context_;
    const ControlRows pipeline_;
    const std::int64_t id_;
    const CancelToken cancel_;
    const PipelineLog log_;
};

// Of the tasks of a pipeline that have ended.
Result<> count_finished(ControlStore& control, std::int64_t pipeline_id);

}  // namespace tarn::run
