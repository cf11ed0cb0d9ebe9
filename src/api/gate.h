// What the port answers while the database waits for its upgrade: probes, the plan, the consent; all else gets 428.
//
// GET /proceed-db-migration runs `upgrade` in the request, one at a time; GET /upgrade gives the plan. As the API, both are also there under /api.
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

  private:
    [[nodiscard]] Answer plan();
    [[nodiscard]] Answer proceed();

    GateWork work_;
    std::mutex mutex_;
    std::atomic<bool> under_way_ = false, done_ = false;
};

}  // namespace tarn::api
