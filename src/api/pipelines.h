// Pipelines: the queue of the control store, worked off by one thread (states: Apache DevLake's).
//
// A stage's tasks run one after the other. What a stopped process left unfinished goes on at the next start. Plans and options may hold
// secrets, so they are encrypted in the store.
// Thread rule: any thread. Errors: bad_data, with the name of what is wrong; those of the control store.
#pragma once

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
#include "connector/shared_answers.h"
#include "run/home.h"
#include "run/platform.h"

namespace tarn::api {

struct PipelineFilter {
    std::string status, label;
    std::int64_t blueprint_id = 0, page = 1, page_size = 50;
    bool pending = false;
};

class Pipelines {
  public:
    Pipelines(const run::Home& home, const run::Platform& platform);
    // Stops the running pipeline; it goes on at the next start.
    ~Pipelines();
    Pipelines(const Pipelines&) = delete;
    Pipelines& operator=(const Pipelines&) = delete;

    // Takes back what an earlier process left unfinished, then works.
    Result<> start();

    // As the API shows them.
    Result<nlohmann::json> create(const nlohmann::json& body);
    Result<std::optional<nlohmann::json>> find(std::int64_t id);
    Result<nlohmann::json> list(const PipelineFilter& filter);
    Result<nlohmann::json> tasks(std::int64_t pipeline_id);
    // false: there is no such pipeline
    Result<bool> cancel(std::int64_t id);

    // Runs `work` while no pipeline runs and none can begin; false: one is running. `work` must not call back.
    Result<bool> while_idle(const std::function<Result<>()>& work);

  private:
    void work();
    Result<std::optional<std::int64_t>> take_next();
    Result<> run_pipeline(std::int64_t id, const CancelToken& cancel);
    Result<> run_stage(const ControlRows& pipeline, std::int64_t stage, const CancelToken& cancel);
    Result<> run_one_task(const ControlRows& pipeline, const ControlRows& tasks, std::size_t row,
                          const CancelToken& cancel);
    Result<> finish_pipeline(std::int64_t id, const Result<>& outcome);
    Result<nlohmann::json> shown_pipeline(const ControlRows& rows, std::size_t row);
    Result<nlohmann::json> shown_task(const ControlRows& rows, std::size_t row);
    Result<> insert_tasks(std::int64_t pipeline_id, const nlohmann::json& plan);

    const run::Home& home_;
    const run::Platform& platform_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::map<std::int64_t, CancelToken> running_;
    std::unique_ptr<connector::SharedAnswers> answers_;  // of the running pipeline
    std::thread thread_;
};

}  // namespace tarn::api
