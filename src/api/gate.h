// What the port answers while the database waits for its upgrade: probes, the plan, the consent; all else gets 428.
//
// GET /proceed-db-migration runs `upgrade` in the request, one at a time; GET /upgrade gives the plan, or how far the upgrade is. What hinders
// it stands in the answers with 428 and in /ready. As the API, both routes are also there under /api.
// Thread rule: answer() by several threads at once; `upgrade` and `plan` are never called at the same time.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

#include "api/call.h"
#include "base/result.h"

namespace tarn::api {

struct GateWork {
    std::function<Result<>()> upgrade;
    std::function<Result<nlohmann::json>()> plan;
    std::function<void()> done;  // after an upgrade that succeeded
};

class Gate {
  public:
    explicit Gate(GateWork work) : work_(std::move(work)) {}
    [[nodiscard]] Answer answer(const std::string& method, const std::string& target);
    Answer proceed();

    void tell_progress(const std::string& what);
    void tell_problem(const std::string& what);

  private:
    [[nodiscard]] Answer plan();
    [[nodiscard]] std::string told(const std::string& text);

    GateWork work_;
    std::mutex mutex_;  // of the work
    std::atomic<bool> under_way_ = false, done_ = false;
    std::mutex told_mutex_;
    std::string progress_, problem_;
};

}  // namespace tarn::api
