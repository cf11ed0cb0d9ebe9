// The HTTP server while the database waits for its upgrade: probes, the plan, and the consent; all else is answered with 428.
//
// GET /proceed-db-migration runs `upgrade` in the request, one at a time. As the API, it is also there under /api.
// Thread rule: `upgrade` and `plan` are called on threads of the server, never both at once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace httplib {
class Server;
}

namespace tarn::api {

struct GateWork {
    std::function<Result<>()> upgrade;
    std::function<Result<nlohmann::json>()> plan;
    std::function<void()> done;  // after an upgrade that succeeded
};

class Gate {
  public:
    // Port 0: a free one. terminal: the address cannot be used.
    static Result<std::unique_ptr<Gate>> start(GateWork work, const std::string& host, int port);
    // Ends open requests, then returns.
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    [[nodiscard]] int port() const { return port_; }

  private:
    explicit Gate(GateWork work);
    void configure();

    GateWork work_;
    std::mutex mutex_;
    std::atomic<bool> under_way_ = false;
    std::unique_ptr<httplib::Server> server_;
    std::thread thread_;
    int port_ = 0;
};

}  // namespace tarn::api
