// One task of a running pipeline, done by this process under two leases: the task's and its scope's.
//
// Thread rule: a thread of its own runs it. Errors end the task with its state; what happens to the row is up to here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "connector/shared_answers.h"
#include "run/pipeline_run.h"

namespace tarn::run {

// Of the tasks that one process does for one pipeline.
using Answers = std::shared_ptr<connector::SharedAnswers>;

enum class TaskEnd {
    ended,    // its final state is written
    blocked,  // its scope is worked on: it waits again
    left,     // interrupted or hindered by the database: it is given back, or no longer ours
};

class TaskRun {
  public:
    TaskRun(const RunContext& context, ControlRows pipeline, ControlRows task, CancelToken cancel,
            Answers answers);

    // Under the task's lease. `last_try`: a passing error of the database fails the task.
    TaskEnd run(bool last_try);
    // Known once it has run, "" before.
    [[nodiscard]] const std::string& scope() const { return scope_; }

  private:
    Result<> work();
    Result<> begin();
    Result<> finish(const Result<>& outcome);
    Result<> give_back();
    Result<> let_go();
    Result<> persist(const std::function<Result<>()>& work);

    const RunContext& context_;
    const ControlRows pipeline_, task_;
    const std::int64_t id_, pipeline_id_;
    const std::string plugin_;
    const CancelToken cancel_;
    const Answers answers_;
    const PipelineLog log_;
    std::string scope_, failed_ = "unknown";
    bool has_scope_ = false, blocked_ = false, gone_ = false;
    Millis began_ = 0;
};

}  // namespace tarn::run
