// What is known of the tasks that run in this process, for the API's progressDetail, and of those that ran, for its measurements.
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

#include "base/measurements.h"
#include "run/task.h"

namespace tarn::run {

struct TaskProgress {
    std::size_t subtasks = 0, finished_subtasks = 0;
    std::int64_t items = 0;  // of the subtask
    std::string subtask;
    std::int64_t subtask_number = 0;  // from 1 on, among all of the plugin
};

// As the API shows it.
inline nlohmann::json progress_json(const TaskProgress& progress) {
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
        return progress_json(found->second);
    }

    // `plugin` of a connector that is there.
    void ended(const std::string& plugin, const std::string& status, double seconds) {
        std::lock_guard lock(mutex_);
        auto& found = plugins_[plugin];
        ++found.ended[status];
        found.durations.add(seconds);
    }
    void wrote(const std::string& plugin, const TaskSummary& summary) {
        std::lock_guard lock(mutex_);
        auto& found = plugins_[plugin];
        for (const auto& [name, table] : summary.tables) {
            found.written += table.added + table.changed;
            found.deleted += table.deleted;
        }
        found.rejected += summary.rejected;
    }
    void measure(MeasurementText& out) const;

  private:
    struct OfPlugin {
        std::map<std::string, std::int64_t> ended;  // by state
        Durations durations{{1, 5, 15, 60, 300, 900, 3600, 14400}};
        std::int64_t written = 0, deleted = 0, rejected = 0;
    };
    mutable std::mutex mutex_;
    std::map<std::int64_t, TaskProgress> tasks_;
    std::map<std::string, OfPlugin> plugins_;
};

}  // namespace tarn::run
