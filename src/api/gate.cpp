#include "api/gate.h"

#include <sys/socket.h>

#include <httplib.h>

#include "api/call.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

constexpr const char* waiting = "waiting for migration confirmation";

void put(httplib::Response& response, int status, const std::string& message, const Json& data = {}) {
    auto answer = envelope(status, message, data);
    response.status = status;
    response.set_content(answer.body.dump(-1, ' ', false, Json::error_handler_t::replace),
                         "application/json; charset=utf-8");
}

}  // namespace

Gate::Gate(GateWork work) : work_(std::move(work)), server_(std::make_unique<httplib::Server>()) {}

void Gate::configure() {
    server_->set_socket_options([](socket_t socket) {
        int on = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    using Request = httplib::Request;
    using Response = httplib::Response;
    auto get = [this](const std::string& path, httplib::Server::Handler handler) {
        server_->Get("(/api)?" + path, std::move(handler));
    };
    get("/ping", [](const Request&, Response& response) { response.status = 200; });
    get("/version", [](const Request&, Response& response) {
        response.set_content(Json({{"version", TARN_VERSION}}).dump(), "application/json; charset=utf-8");
    });
    get("/health", [](const Request&, Response& response) { put(response, 200, "maybe"); });
    get("/ready", [this](const Request&, Response& response) {
        put(response, 503,
            std::string("service is not ready: ") + (under_way_ ? "migrating" : waiting) + " (503)");
    });
    get("/upgrade", [this](const Request&, Response& response) {
        std::unique_lock lock(mutex_, std::try_to_lock);
        if (!lock) return put(response, 200, "the upgrade is under way");
        auto plan = work_.plan();
        plan ? put(response, 200, "success", *plan) : put(response, 500, plan.error().text());
    });
    get("/proceed-db-migration", [this](const Request&, Response& response) {
        std::unique_lock lock(mutex_, std::try_to_lock);
        if (!lock) return put(response, 500, "the upgrade is under way already");
        under_way_ = true;
        auto done = work_.upgrade();
        under_way_ = false;
        done ? put(response, 200, "success") : put(response, 500, done.error().text());
        if (done) work_.done();
    });
    auto refuse = [this](const Request&, Response& response) {
        put(response, 428,
            under_way_ ? "Database migration is in progress: wait until /ready says so."
                       : "The database is one of Apache DevLake and has to be upgraded first. Read the plan "
                         "with `tarn "
                         "upgrade plan` or GET /upgrade, then agree with GET /api/proceed-db-migration or "
                         "`tarn upgrade "
                         "apply`.");
    };
    const std::string any = R"([\s\S]*)";
    server_->Get(any, refuse);
    server_->Post(any, refuse);
    server_->Put(any, refuse);
    server_->Patch(any, refuse);
    server_->Delete(any, refuse);
}

Result<std::unique_ptr<Gate>> Gate::start(GateWork work, const std::string& host, int port) {
    std::unique_ptr<Gate> made(new Gate(std::move(work)));
    made->configure();
    bool bound = port == 0 ? (made->port_ = made->server_->bind_to_any_port(host)) > 0
                           : made->server_->bind_to_port(host, port);
    if (!bound)
        return fail(ErrorKind::terminal, "the address cannot be used", host + ":" + std::to_string(port),
                    "Stop the program that listens there or choose another --port.");
    if (port != 0) made->port_ = port;
    made->thread_ = std::thread([raw = made.get()] { raw->server_->listen_after_bind(); });
    while (!made->server_->is_running()) std::this_thread::yield();
    return made;
}

Gate::~Gate() {
    server_->stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace tarn::api
