// A task: all enabled streams and models of one connector for one scope.
//
// run_task collects and transforms in stages: first every stream that can run, then, in one transaction, every model that can run, and so
// on until all are done (docs/architecture.md, "Order and stages"). A failure ends the task; complete stages stay. Running it again goes on where it stood.
// Errors: those of its parts, with the subtask's name in place.
// Thread rule: several tasks may run at once, one a scope.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "connector/collect.h"
#include "connector/inputs.h"
#include "http/client.h"
#include "model/engine.h"
#include "run/platform.h"

namespace tarn::run {

struct Progress;
struct TaskSummary;
struct TaskSpec;
using Told = std::function<void(const Progress&)>;

// A task that a part of the program does in place of streams and models.
using NativeWork = std::function<Result<TaskSummary>(const TaskSpec& spec, DataFile& data,
                                                     ControlStore& control, const Told& progress)>;

struct TaskSpec {
    const LoadedConnector* connector = nullptr;
    connector::TaskValues values;
    std::string endpoint;
    std::vector<std::string> subtasks;  // empty: those enabled by default
    bool full_sync = false, skip_collectors = false;
    Millis time_after = 0;
    Millis now = 0;  // the time of this run; 0: the clock's
    CancelToken cancel;
    connector::SharedAnswers* answers = nullptr;  // of the tasks that run one after the other
    NativeWork native;
};

struct Progress {
    std::string subtask;
    std::size_t done = 0, total = 0;  // streams and models of the task
    // Items of the subtask: those that its streams have read, or those that the model which has just ended worked on. Requests of the
    // stream that tells.
    std::int64_t items = 0, requests = 0;
};

struct TableCounts {
    std::int64_t added = 0, changed = 0, deleted = 0;
};

struct TaskSummary {
    std::map<std::string, connector::CollectSummary> streams;  // by stream name
    std::map<std::string, TableCounts> tables;  // raw, tool and domain tables that were touched
    std::int64_t requests = 0, rejected = 0, cut = 0;
    Millis milliseconds = 0;
};

Result<TaskSummary> run_task(const TaskSpec& spec, http::Client& client, DataFile& data,
                             ControlStore& control, const Told& progress = {});

// The subtasks that would run, in order. bad_data: an unknown name, with the known ones.
Result<std::vector<std::string>> chosen_subtasks(const connector::Connector& connector,
                                                 const std::vector<std::string>& wanted,
                                                 bool skip_collectors);

}  // namespace tarn::run
