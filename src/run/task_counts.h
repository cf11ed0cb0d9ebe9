// What completed tasks did, in the control store; from it, what a plan is likely to need.
//
// Kept for each task: requests and time; of each stream how many items its lists hold by the source's word (where it gives one) and how many
// were met; of each table the rows added, changed and deleted; how many items were put aside. A list that was read to its end and had
// another number of items than the source said is a problem, told in the log and by counts().
// Thread rule: any thread. Errors: those of the control store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "run/task.h"
#include "store/control.h"

namespace tarn::run {

class TaskCounts {
  public:
    explicit TaskCounts(ControlStore& control) : control_(control) {}

    // Gives the problems, a line each.
    Result<std::vector<std::string>> save(std::int64_t task_id, const std::string& plugin,
                                          const nlohmann::json& options, const TaskSummary& summary) const;
    // {"tasks": [...]} of a pipeline, as the API shows them
    Result<nlohmann::json> counts(std::int64_t pipeline_id) const;
    // Of a plan: requests and seconds, each task as its last three runs on average; `unknownTasks` never ran.
    Result<nlohmann::json> estimate(const nlohmann::json& plan) const;

  private:
    ControlStore& control_;
};

}  // namespace tarn::run
