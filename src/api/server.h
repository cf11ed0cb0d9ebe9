// The HTTP server of the API.
//
// What answers can be changed while it runs: the port answers all the time, whatever becomes ready behind it.
// Thread rule: any thread; `dispatch` is called by several at once.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "api/routes.h"
#include "base/result.h"

namespace httplib {
class Server;
}

namespace tarn::api {

using Dispatch = std::function<Answer(const std::string& method, const std::string& target, Call call)>;
Dispatch dispatch_to(const Services& services);

class Server {
  public:
    // Listens and serves on threads of its own. Port 0: a free one. terminal: the address cannot be used.
    static Result<std::unique_ptr<Server>> start(Dispatch dispatch, const std::string& host, int port);
    // From the next request on.
    void use(Dispatch dispatch);
    // Ends open requests, then returns.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] int port() const { return port_; }

  private:
    explicit Server(Dispatch dispatch);
    [[nodiscard]] Answer answer(const std::string& method, const std::string& target, Call call);
    void configure();

    std::mutex mutex_;
    std::shared_ptr<const Dispatch> dispatch_;
    std::unique_ptr<httplib::Server> server_;
    std::thread thread_;
    int port_ = 0;
};

}  // namespace tarn::api
