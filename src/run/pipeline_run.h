// One run of a pipeline: its stages one after the other, the tasks of a stage at once as far as the gate lets them.
//
// A stage with a failed task is the last one, unless the pipeline skips failures. Tasks that have completed already are not run again.
// Thread rule: one thread runs it; its tasks have threads of their own. Errors: those of its tasks, a line each; cancelled.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "connector/shared_answers.h"
#include "run/budgets.h"
#include "run/home.h"
#include "run/pipeline_log.h"
#include "run/pipeline_rows.h"
#include "run/platform.h"
#include "run/running_tasks.h"
#include "run/task_gate.h"

namespace tarn::run {

// What all runs of a process share; outlives them.
struct RunContext {
    const Home& home;
    const Platform& platform;
    TaskGate& gate;
    Budgets& budgets;
    RunningTasks& running;
    const std::atomic<bool>& stopping;  // the process ends: what is cancelled then goes on at the next start
};

class PipelineRun {
  public:
    PipelineRun(const RunContext& context, ControlRows pipeline, CancelToken cancel);

    Result<> run();
    // Writes the pipeline's final state.
    Result<> finish(const Result<>& outcome);

  private:
    Result<> run_stage(std::int64_t stage);
    Result<> run_task(const ControlRows& tasks, std::size_t row);
    Result<> work_on(const ControlRows& tasks, std::size_t row, std::string& failed);
    Result<> finish_task(const ControlRows& tasks, std::size_t row, Millis began, const Result<>& outcome,
                         const std::string& failed);
    Result<std::string> final_status(const Result<>& outcome);
    Result<> count_finished();

    const RunContext& context_;
    const ControlRows pipeline_;
    const std::int64_t id_;
    const CancelToken cancel_;
    const PipelineLog log_;
    connector::SharedAnswers answers_;
};

}  // namespace tarn::run
