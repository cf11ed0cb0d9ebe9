// The HTTP server of the API.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "api/routes.h"
#include "base/result.h"

namespace httplib {
class Server;
}

namespace tarn::api {

class Server {
  public:
    // Listens and serves on threads of its own. Port 0: a free one. terminal: the address cannot be used.
    static Result<std::unique_ptr<Server>> start(const Services& services, const std::string& host, int port);
    // Ends open requests, then returns.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] int port() const { return port_; }

  private:
    Server();
    std::unique_ptr<httplib::Server> server_;
    std::thread thread_;
    int port_ = 0;
};

}  // namespace tarn::api
