// Servers inside the test process: one that speaks HTTP, and one that writes raw bytes.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <httplib.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/client.h"

namespace tarn::http {

template <class Server = httplib::Server>
class TestServer {
  public:
    template <class... Args>
    explicit TestServer(Args&&... args) : server(std::forward<Args>(args)...) {
        // The defaults serve 8 connections of 5 requests.
        server.new_task_queue = [] { return new httplib::ThreadPool(24); };
        server.set_keep_alive_max_count(100'000);
        server.set_keep_alive_timeout(1);
        server.set_tcp_nodelay(true);
        int listener = -1;
        server.set_socket_options([&](int socket) { listener = socket; });
        port = server.bind_to_any_port("127.0.0.1");
        // httplib's backlog is 5; who comes when it is full tries again a second later.
        ::listen(listener, 128);
        thread_ = std::thread([this] { server.listen_after_bind(); });
        while (!server.is_running()) std::this_thread::yield();
    }
    ~TestServer() {
        server.stop();
        thread_.join();
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    [[nodiscard]] std::string url(const std::string& path, const std::string& scheme = "http") const {
        return scheme + "://127.0.0.1:" + std::to_string(port) + path;
    }

    Server server;
    int port = 0;

  private:
    std::thread thread_;
};

// Each connection goes to `serve`, one after the other; it is closed when that returns.
class RawServer {
  public:
    explicit RawServer(std::function<void(int)> serve) : serve_(std::move(serve)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
        ::listen(listener_, 16);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        thread_ = std::thread([this] { work(); });
    }
    ~RawServer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;

    // Up to the empty line
    static std::string read_request(int connection) {
        std::string text;
        char c = 0;
        while (!text.ends_with("\r\n\r\n") && ::recv(connection, &c, 1, 0) == 1) text += c;
        return text;
    }
    static void write(int connection, const std::string& bytes) {
        (void)::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }

    int port = 0;
    std::atomic<int> connections = 0;

  private:
    void work() {
        while (true) {
            int connection = ::accept(listener_, nullptr, nullptr);
            if (connection < 0) return;
            ++connections;
            serve_(connection);
            ::close(connection);
        }
    }
    std::function<void(int)> serve_;
    int listener_ = -1;
    std::thread thread_;
};

inline ClientOptions quick_options() {
    ClientOptions options;
    options.first_pause = 2;
    options.timeout = 5'000;
    return options;
}

inline std::unique_ptr<Client> opened(ClientOptions options) {
    auto client = open_client(std::move(options));
    return client ? std::move(*client) : nullptr;
}

}  // namespace tarn::http
