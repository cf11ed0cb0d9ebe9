// What is known of the tasks that run in this process, for the API's progressDetail.
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include <nlohmann/json.hpp>

namespace tarn::run {

struct TaskProgress {
    std::size_t subtasks = 0, finished_subtasks = 0;
    std::int64_t items = 0;  // of the subtask
    std::string subtask;
    std::int64_t subtask_number = 0;  // from 1 on, among all of the plugin
};

class RunningTasks {
  public:
    void put(std::int64_t task_id, const TaskProgress& progress) {
        std::lock_guard lock(mutex_);
        tasks_[task_id] = progress;
    }
    void drop(std::int64_t task_id) {
        std::lock_guard lock(mutex_);
        tasks_.erase(task_id);
    }
    // null where it does not run here
    [[nodiscard]] nlohmann::json detail(std::int64_t task_id) const {
        std::lock_guard lock(mutex_);
        auto found = tasks_.find(task_id);
        if (found == tasks_.end()) return nullptr;
        const auto& progress = found->second;
        // Nobody knows beforehand how many records a source has: -1.
        return {{"totalSubTasks", progress.subtasks},
                {"finishedSubTasks", progress.finished_subtasks},
                {"totalRecords", -1},
                {"finishedRecords", progress.items},
                {"subTaskName", progress.subtask},
                {"subTaskNumber", progress.subtask_number},
                {"collectSubtaskNumber", 0},
                {"otherSubtaskNumber", 0}};
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::int64_t, TaskProgress> tasks_;
};

}  // namespace tarn::run
