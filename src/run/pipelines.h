// Pipelines: the queue of the control store, worked off by this process and all others that work on the home (states: Apache DevLake's).
//
// PIPELINE_MAX_PARALLEL pipelines run at once in all processes (0 or not set: 16), those of higher priority first, then the oldest; two with the
// same label `parallel/…` one after the other. Of all their tasks TASK_MAX_PARALLEL work at once in one process (not set: 4), one a scope. What
// a process left unfinished goes on in others when it is gone, or at its next start (RESUME_PIPELINES=false: has failed). With
// CONSUME_PIPELINES=false nothing is run here.
// Thread rule: any thread. Errors: bad_data, with the name of what is wrong; those of the control store.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/cancel.h"
#include "base/result.h"
#include "run/blueprints.h"
#include "run/leases.h"
#include "run/notifier.h"
#include "run/pipeline_run.h"
#include "run/task_run.h"

namespace tarn::run {

struct TriggerPolicy {
    bool skip_collectors = false, full_sync = false;
};

class Pipelines {
  public:
    // terminal: a setting cannot be read.
    static Result<std::unique_ptr<Pipelines>> make(const Home& home, const Platform& platform);
    // Stops the running pipelines; they go on at the next start.
    ~Pipelines();
    Pipelines(const Pipelines&) = delete;
    Pipelines& operator=(const Pipelines&) = delete;

    // Takes back what an earlier process left unfinished, then works.
    Result<> start();

    // As the API shows them.
    Result<nlohmann::json> create(const NewPipeline& pipeline);
    // A pipeline of the blueprint's plan, which is made anew. bad_data: one of its pipelines is not finished, or there is nothing to run.
    Result<nlohmann::json> trigger(const Blueprint& blueprint, const TriggerPolicy& policy);
    Result<nlohmann::json> tasks(std::int64_t pipeline_id);
    Result<std::optional<nlohmann::json>> rerun_pipeline(std::int64_t id);
    Result<std::optional<nlohmann::json>> rerun_task(std::int64_t id);
    // false: there is no such pipeline
    Result<bool> cancel(std::int64_t id);
    // What this process has run and asked of sources, since its start.
    void measure(MeasurementText& out) const;
    [[nodiscard]] PipelineRows rows() const { return PipelineRows(home_); }

    // Runs `work` while no pipeline runs and none can begin; false: one is running. `work` must not call back.
    Result<bool> while_idle(const std::function<Result<>()>& work);

  private:
    struct Limits {
        std::size_t pipelines = 16, tasks = 4;
        bool resume = true, consume = true;
    };
    struct Running {
        CancelToken cancel;
        Answers answers = std::make_shared<connector::SharedAnswers>();
        std::thread thread;
    };
    struct Working {
        std::int64_t pipeline = 0;
        CancelToken cancel;
        Answers answers;
        std::thread thread;
    };

    Pipelines(const Home& home, const Platform& platform, const Limits& limits);
    static Result<Limits> limits_of(const Home& home);
    void dispatch();
    Result<bool> look_round();
    Result<> begin_anew();
    void cancel_all();
    Result<> give_back_orphans();
    Result<> give_back(const char* table, const char* kind);
    Result<> fail_stopped(const char* table, const std::string& condition);
    Result<> take_cancels();
    Result<> tidy();
    Result<> share_budgets();
    Result<bool> begin_next();
    Result<std::optional<std::int64_t>> next_id();
    void run_one(std::int64_t id, const CancelToken& cancel);
    Result<> run_and_finish(std::int64_t id, const CancelToken& cancel);
    Result<bool> begin_task();
    Result<std::optional<std::int64_t>> claim();
    Result<std::int64_t> next_task();
    void work_on(std::int64_t task_id, TaskRun& run);
    Answers answers_of(std::int64_t pipeline_id);
    RunContext context();
    void tell_change();
    void wait_for_change();
    void join_ended();

    const Home& home_;
    const Platform& platform_;
    const Limits limits_;
    Notifier notifier_;
    const Leases leases_;
    Budgets budgets_;
    RunningTasks running_tasks_;
    std::atomic<bool> stopping_ = false, interrupted_ = false;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::uint64_t changes_ = 0;
    std::map<std::int64_t, Running> running_;  // pipelines whose stages this process leads
    std::map<std::int64_t, Working> working_;  // tasks
    // Of tasks that were not run here to their end: the scope they waited for, and how often the database hindered them.
    std::map<std::int64_t, std::string> blocked_;
    std::map<std::int64_t, int> hindered_;
    std::vector<std::thread> ended_;
    std::atomic<bool> doubtful_ = false;  // there may be leases of this process that it knows nothing of
    std::atomic<int> idling_ = 0;         // calls of while_idle()
    std::thread dispatcher_;
    const RunContext context_;
};

}  // namespace tarn::run
