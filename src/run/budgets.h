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
                                           const Connection& connection);
    // So many processes have tasks: each keeps to its part of what the connections may send.
    void share(int among);
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
    int among_ = 1;
    std::map<std::pair<std::string, std::int64_t>, Kept> kept_;  // by plugin and connection
    std::map<std::string, std::shared_ptr<http::Traffic>> traffic_;
};

}  // namespace tarn::run
