// A job: one task made ready from its options, by rows of the control store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/cancel.h"
#include "base/result.h"
#include "http/client.h"
#include "run/budgets.h"
#include "run/home.h"
#include "run/platform.h"
#include "run/task.h"

namespace tarn::run {

struct JobRequest {
    const LoadedConnector* connector = nullptr;
    // connectionId and what names the scope; `scopeConfig` (an object) or `scopeConfigId` go before the scope's own
    nlohmann::json options;
    std::vector<std::string> subtasks;
    bool full_sync = false, skip_collectors = false;
    Millis time_after = 0;
    CancelToken cancel;
    connector::SharedAnswers* answers = nullptr;
    Budgets* budgets = nullptr;  // nullptr: the job has a budget of its own
};

struct Job {
    TaskSpec spec;
    std::unique_ptr<http::Client> client;
};

// What one job at a time works on.
std::string scope_of(const Job& job);

// A scope that is not known yet is asked for at the source and saved; a metric has only its options. bad_data: no such connection or scope. Thread rule: any thread.
Result<Job> prepare_job(const Home& home, const JobRequest& request);

}  // namespace tarn::run
