// Rows of pipelines, tasks and subtasks in the control store, and how the API shows them (states: Apache DevLake's).
//
// Plans and options may hold secrets, so they are encrypted. A task that is run again gets a new row: the newest of a place in the plan
// counts.
// Thread rule: any thread. Errors: bad_data with the name of what is wrong; those of the control store and of the cipher.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "base/time.h"
#include "run/home.h"

namespace tarn::run {

// States of what waits for its turn, and of what has ended; for `status in …`
inline constexpr const char* queued_states = "('TASK_CREATED', 'TASK_RERUN', 'TASK_RESUME')";
inline constexpr const char* final_states =
    "('TASK_COMPLETED', 'TASK_PARTIAL', 'TASK_FAILED', 'TASK_CANCELLED')";

struct PipelineFilter {
    std::string status, label;
    std::optional<std::int64_t> blueprint_id;
    std::int64_t page = 1, page_size = 50;
    bool pending = false;
};

struct NewPipeline {
    std::string name, time_after;  // time_after: as the control store writes times, "" for none
    std::int64_t blueprint_id = 0, priority = 0;
    bool skip_on_fail = false, full_sync = false, skip_collectors = false;
    nlohmann::json plan;
    std::vector<std::string> labels;
};

// The body of POST /pipelines
Result<NewPipeline> new_pipeline(const nlohmann::json& body);

// What runs a task: Pipelines tells what it knows of one that runs now.
using TaskDetail = std::function<nlohmann::json(std::int64_t task_id)>;

class PipelineRows {
  public:
    explicit PipelineRows(const Home& home) : home_(home) {}

    // bad_data: no task to run; a pipeline of the blueprint has not ended yet.
    Result<std::int64_t> create(const NewPipeline& pipeline) const;
    Result<std::optional<nlohmann::json>> find(std::int64_t id) const;
    Result<nlohmann::json> list(const PipelineFilter& filter) const;
    Result<nlohmann::json> tasks(std::int64_t pipeline_id, const TaskDetail& detail) const;
    // progressDetail of a task that another process works on, by its subtasks; null where it has none.
    [[nodiscard]] Result<nlohmann::json> progress_elsewhere(std::int64_t task_id) const;
    // Without tasks of plugins that are not `listed`.
    Result<nlohmann::json> subtasks(std::int64_t pipeline_id, const Platform& platform) const;
    [[nodiscard]] Result<bool> has_unfinished(std::int64_t blueprint_id) const;

    // New rows for what is to be run again, as the API shows them: of a whole pipeline all that did not succeed. bad_data: it is running or
    // waiting, or there is nothing to do. nullopt: there is none.
    Result<std::optional<nlohmann::json>> rerun_pipeline(std::int64_t id) const;
    Result<std::optional<nlohmann::json>> rerun_task(std::int64_t id) const;

    // nullptr where the column is NULL; terminal where it cannot be decrypted: such a plan is shown as null
    [[nodiscard]] Result<nlohmann::json> decrypted(const ControlRows& rows, std::size_t row,
                                                   const char* column) const;

  private:
    Result<> insert_tasks(std::int64_t pipeline_id, const nlohmann::json& plan) const;
    Result<nlohmann::json> shown_pipeline(const ControlRows& rows, std::size_t row) const;
    Result<nlohmann::json> shown_task(const ControlRows& rows, std::size_t row) const;
    Result<nlohmann::json> shown_with_subtasks(const ControlRows& tasks, std::size_t row,
                                               const std::vector<nlohmann::json>& details) const;
    Result<nlohmann::json> rerun(std::int64_t pipeline_id, const ControlRows& tasks) const;
    Result<> check_can_rerun(std::int64_t pipeline_id) const;

    const Home& home_;
};

// Condition on _devlake_tasks: the newest task of each place of the pipeline `?`
inline constexpr const char* newest_tasks =
    "id in (select max(id) from _devlake_tasks where pipeline_id = ? group by pipeline_row, pipeline_col)";

// A time of a row in ms; 0 where there is none.
Millis millis_of(const ControlRows& rows, std::size_t row, const char* column);

}  // namespace tarn::run
