#include "unit/server_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <csignal>
#include <map>

#include <fmt/format.h>

namespace tarn {
namespace {

// tests/e2e/database_servers.py as a child; it stops the server when its standard input ends, however this process does.
class ServerProcess {
  public:
    explicit ServerProcess(const std::string& engine) {
        int to[2], from[2];
        if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) return;
        auto script = repository_file("tests/e2e/database_servers.py");
        child_ = ::fork();
        if (child_ == 0) {
            ::dup2(to[0], STDIN_FILENO);
            ::dup2(from[1], STDOUT_FILENO);
            ::execl("/usr/bin/python3", "python3", script.c_str(), engine.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(to[0]);
        ::close(from[1]);
        stop_ = to[1];
        char c = 0;
        while (::read(from[0], &c, 1) == 1 && c != '\n') url_ += c;
        ::close(from[0]);
    }
    ~ServerProcess() {
        ::close(stop_);
        if (child_ > 0) ::waitpid(child_, nullptr, 0);
    }
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;
    [[nodiscard]] const std::string& url() const { return url_; }

  private:
    pid_t child_ = -1;
    int stop_ = -1;
    std::string url_;
};

}  // namespace

std::string fresh_database(server::Engine engine) {
    static std::map<server::Engine, std::unique_ptr<ServerProcess>> servers;
    static int made = 0;
    auto& server = servers[engine];
    if (!server)
        server = std::make_unique<ServerProcess>(engine == server::Engine::mysql ? "mysql" : "postgres");
    const auto& url = server->url();
    if (url.empty()) return {};
    auto name = fmt::format("lake_{}", ++made);
    auto connection = connected(url);
    if (!connection) return {};
    bool is_mysql = engine == server::Engine::mysql;
    auto options =
        is_mysql ? "character set utf8mb4 collate utf8mb4_bin" : "template template0 encoding 'UTF8'";
    EXPECT_TRUE(good(connection->run(fmt::format("create database {} {}", name, options))));
    return url.substr(0, url.rfind('/') + 1) + name;
}

}  // namespace tarn
