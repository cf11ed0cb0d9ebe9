// Keeps _devlake_subtasks, a task's progress and its log up to date while it runs. A task that goes on after a restart
// gets new rows in place of those it left.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/spdlog.h>

#include "base/result.h"
#include "base/time.h"
#include "connector/connector.h"
#include "run/running_tasks.h"
#include "run/task.h"
#include "store/control.h"

namespace tarn::run {

// Thread rule: begin, then told from one thread at a time, then end. The first error of the store is kept for end().
class SubtaskRows {
  public:
    SubtaskRows(ControlStore& control, std::int64_t task_id, std::shared_ptr<spdlog::logger> log,
                RunningTasks& running)
        : control_(control), task_id_(task_id), log_(std::move(log)), running_(running) {}

    Result<> begin(const connector::Connector& connector, const std::vector<std::string>& subtasks);
    void told(const Progress& progress);
    // The subtask that failed, "" where all went well.
    Result<std::string> end(const Result<TaskSummary>& outcome);

  private:
    struct Row {
        std::int64_t id = 0, number = 0, items = 0;
        Millis began = 0;
        bool collector = false, finished = false;
    };
    void begin_row(Row& row);
    void finish_row(Row& row);
    void tell_detail(const Progress& progress);
    void keep(const Result<std::int64_t>& done);
    [[nodiscard]] std::string failed_subtask(const Error& error) const;

    ControlStore& control_;
    std::int64_t task_id_;
    std::shared_ptr<spdlog::logger> log_;
    RunningTasks& running_;
    std::map<std::string, Row> rows_;
    std::string last_;
    std::size_t done_ = 0;
    Result<> kept_;
};

}  // namespace tarn::run
