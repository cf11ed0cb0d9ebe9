// Records a test from a real source: the answers, scrubbed, and the rows that come of them.
// Thread rule: one user at a time; Recorder may be asked by any thread.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "author/answers.h"
#include "author/case_file.h"
#include "base/cancel.h"
#include "base/result.h"
#include "run/platform.h"

namespace tarn::author {

// Passes requests on and keeps the answers.
class Recorder : public http::Client {
  public:
    explicit Recorder(http::Client& source) : source_(source) {}
    Result<http::Response> fetch(http::Request request) override;
    [[nodiscard]] http::ClientStats stats() const override { return source_.stats(); }
    // In the order of requests, each once: the last answer.
    [[nodiscard]] std::vector<Answer> answers() const;

  private:
    http::Client& source_;
    mutable std::mutex mutex_;
    std::vector<Answer> answers_;  // `target` holds the whole URL
};

struct Recording {
    std::string name;  // of the test
    nlohmann::json scope;
    std::vector<std::string> subtasks;
    Millis time_after = 0;
    // Value of an environment key: RECORD_<FIELD> gives the connection's fields, the others are the client's settings.
    std::function<std::string(const std::string& key)> environment;
    CancelToken cancel;
};

// Writes tests/<name>/ with case.yaml and answers/. Value: its folder. Errors: terminal (it is there already, the source refuses), bad_data (a
// field is missing), those of the run.
Result<std::string> record(const run::Platform& platform, const Recording& recording);

}  // namespace tarn::author
