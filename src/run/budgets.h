// The request budgets of connections, kept from task to task: what tasks of one connection send together stays within its limits.
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "http/client.h"
#include "run/connection.h"

namespace tarn::run {

class Budgets {
  public:
    // The connection's own, a new one where its settings have changed.
    std::shared_ptr<http::SharedBudget> of(const connector::Connector& connector,
                                           const Connection& connection) {
        std::lock_guard lock(mutex_);
        auto& kept = kept_[connector.name + " " + std::to_string(connection.id)];
        if (kept.budget == nullptr || kept.updated_at != connection.updated_at)
            kept = {connection.updated_at, http::shared_budget()};
        return kept.budget;
    }

  private:
    struct Kept {
        std::string updated_at;
        std::shared_ptr<http::SharedBudget> budget;
    };
    std::mutex mutex_;
    std::map<std::string, Kept> kept_;
};

}  // namespace tarn::run
