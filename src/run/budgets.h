// The request budgets of connections, kept from task to task: what tasks of one connection send together stays within its limits. And what
// the tasks of each plugin have sent.
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/measurements.h"
#include "http/client.h"
#include "http/traffic.h"
#include "run/connection.h"

namespace tarn::run {

class Budgets {
  public:
    // The connection's own, a new one where its settings have changed.
    std::shared_ptr<http::SharedBudget> of(const connector::Connector& connector,
                                           const Connection& connection) {
        std::lock_guard lock(mutex_);
        auto& kept = kept_[{connector.name, connection.id}];
        if (kept.budget == nullptr || kept.updated_at != connection.updated_at)
            kept = {connection.updated_at, http::shared_budget(traffic(connector.name))};
        return kept.budget;
    }
    void measure(MeasurementText& out) const;

  private:
    struct Kept {
        std::string updated_at;
        std::shared_ptr<http::SharedBudget> budget;
    };
    std::shared_ptr<http::Traffic> traffic(const std::string& plugin) {
        auto& found = traffic_[plugin];
        if (found == nullptr) found = std::make_shared<http::Traffic>();
        return found;
    }

    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::int64_t>, Kept> kept_;  // by plugin and connection
    std::map<std::string, std::shared_ptr<http::Traffic>> traffic_;
};

}  // namespace tarn::run
