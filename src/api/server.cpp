#include "api/server.h"

#include <sys/socket.h>

#include <httplib.h>

namespace tarn::api {
namespace {

constexpr std::size_t threads = 16, longest_body = 64UL << 20U;

Call call_of(const httplib::Request& request) {
    Call call;
    for (const auto& [name, value] : request.params) call.query.emplace(name, value);
    call.body = request.body;
    call.peer = request.remote_addr;
    call.host = request.get_header_value("Host");
    return call;
}

void put(const Answer& answer, httplib::Response& response) {
    response.status = answer.status;
    if (answer.empty) return;
    response.set_content(answer.body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                         "application/json; charset=utf-8");
}

// What the library itself refuses (too long, not HTTP) gets the same envelope.
void put_missing_body(const httplib::Request&, httplib::Response& response) {
    if (response.body.empty()) put(envelope(response.status, "the request was refused"), response);
}

void configure(httplib::Server& server, const Services& services) {
    server.new_task_queue = [] { return new httplib::ThreadPool(threads); };
    server.set_payload_max_length(longest_body);
    server.set_keep_alive_max_count(1000);
    server.set_tcp_nodelay(true);
    // The library's default lets two servers share a port without a word.
    server.set_socket_options([](socket_t socket) {
        int on = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    auto serve = [services](const httplib::Request& request, httplib::Response& response) {
        put(dispatch(services, request.method, request.target, call_of(request)), response);
    };
    server.Get(".*", serve);
    server.Post(".*", serve);
    server.Put(".*", serve);
    server.Patch(".*", serve);
    server.Delete(".*", serve);
    server.set_error_handler(httplib::Server::Handler(put_missing_body));
}

}  // namespace

Server::Server() : server_(std::make_unique<httplib::Server>()) {}

Result<std::unique_ptr<Server>> Server::start(const Services& services, const std::string& host, int port) {
    std::unique_ptr<Server> made(new Server());
    configure(*made->server_, services);
    bool bound = port == 0 ? (made->port_ = made->server_->bind_to_any_port(host)) > 0
                           : made->server_->bind_to_port(host, port);
    if (!bound) {
        return fail(ErrorKind::terminal, "the address cannot be used", host + ":" + std::to_string(port),
                    "Stop the program that listens there or choose another --port.");
    }
    if (port != 0) made->port_ = port;
    made->thread_ = std::thread([raw = made.get()] { raw->server_->listen_after_bind(); });
    while (!made->server_->is_running()) std::this_thread::yield();
    return made;
}

Server::~Server() {
    server_->stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace tarn::api
