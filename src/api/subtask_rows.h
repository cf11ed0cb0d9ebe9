// Keeps _devlake_subtasks and a task's progress up to date while it runs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "connector/connector.h"
#include "run/task.h"
#include "store/control.h"

namespace tarn::api {

// Thread rule: begin, then told from one thread at a time, then end. The first error of the store is kept for end().
class SubtaskRows {
  public:
    SubtaskRows(ControlStore& control, std::int64_t task_id) : control_(control), task_id_(task_id) {}

    Result<> begin(const connector::Connector& connector, const std::vector<std::string>& subtasks);
    void told(const run::Progress& progress);
    // The subtask that failed, "" where all went well.
    Result<std::string> end(const Result<run::TaskSummary>& outcome);

  private:
    struct Row {
        std::int64_t id = 0;
        Millis began = 0;
        bool collector = false, finished = false;
    };
    void begin_row(Row& row);
    void finish_row(Row& row);
    void keep(const Result<std::int64_t>& done);
    [[nodiscard]] std::string failed_subtask(const Error& error) const;

    ControlStore& control_;
    std::int64_t task_id_;
    std::map<std::string, Row> rows_;
    std::string last_;
    std::size_t done_ = 0;
    Result<> kept_;
};

}  // namespace tarn::api
