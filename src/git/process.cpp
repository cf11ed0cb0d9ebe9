#include "git/process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

namespace tarn::git {
namespace {

constexpr int tick_ms = 200;
constexpr std::size_t errors_kept = 4000;

Failure broken(const char* what) {
    return fail(ErrorKind::terminal, std::string(what) + ": " + std::strerror(errno), "git");
}

class Pipe {
  public:
    Pipe() = default;
    ~Pipe() {
        close_end(0);
        close_end(1);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    Result<> open() {
        if (pipe2(ends_.data(), O_CLOEXEC) != 0) return broken("no pipe");
        return {};
    }
    // As a socket: writing to a child that is gone is then no signal.
    Result<> open_socket() {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) != 0) return broken("no socket");
        return {};
    }
    // Fewer turns between the two ends; where the system allows it.
    void widen() const {
        constexpr int bytes = 1 << 20;
        fcntl(ends_[0], F_SETPIPE_SZ, bytes);
    }
    void close_end(std::size_t end) {
        if (ends_[end] >= 0) close(ends_[end]);
        ends_[end] = -1;
    }
    [[nodiscard]] int end(std::size_t end) const { return ends_[end]; }
    void never_wait(std::size_t end) const {
        fcntl(ends_[end], F_SETFL, fcntl(ends_[end], F_GETFL) | O_NONBLOCK);
    }

  private:
    std::array<int, 2> ends_ = {-1, -1};
};

std::vector<std::string> environment_of(const Command& command) {
    const char* path = std::getenv("PATH");
    std::vector<std::string> out = {
        std::string("PATH=") + (path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path),
        "HOME=/nonexistent",
        "LC_ALL=C",
        "GIT_CONFIG_NOSYSTEM=1",
        "GIT_CONFIG_GLOBAL=/dev/null",
        "GIT_ATTR_NOSYSTEM=1",
        "GIT_TERMINAL_PROMPT=0",
        "GIT_NO_REPLACE_OBJECTS=1",
        "GIT_NO_LAZY_FETCH=1",
        "GIT_OPTIONAL_LOCKS=0",
        // No `ext::`, which would run what the URL says.
        "GIT_ALLOW_PROTOCOL=file:git:http:https:ssh",
    };
    Pairs config = {{"core.deltaBaseCacheLimit", "16m"},
                    {"core.packedGitWindowSize", "4m"},
                    {"core.packedGitLimit", "16m"},
                    {"core.attributesFile", "/dev/null"},
                    {"pack.threads", "2"},
                    {"pack.windowMemory", "32m"},
                    {"gc.auto", "0"},
                    {"maintenance.auto", "false"},
                    // A repository on disk may belong to another user; it is only read.
                    {"safe.directory", "*"}};
    config.insert(config.end(), command.config.begin(), command.config.end());
    out.push_back("GIT_CONFIG_COUNT=" + std::to_string(config.size()));
    for (std::size_t i = 0; i < config.size(); ++i) {
        out.push_back("GIT_CONFIG_KEY_" + std::to_string(i) + "=" + config[i].first);
        out.push_back("GIT_CONFIG_VALUE_" + std::to_string(i) + "=" + config[i].second);
    }
    for (const auto& [name, value] : command.environment) out.push_back(name + "=" + value);
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

class Child {
  public:
    explicit Child(const Command& command) : command_(command) {}
    ~Child() {
        if (pid_ > 0) stop();
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    Result<> start() {
        TARN_TRY(in_.open_socket());
        TARN_TRY(out_.open());
        out_.widen();
        TARN_TRY(err_.open());
        std::vector<std::string> arguments = command_.arguments;
        arguments.insert(arguments.begin(), "git");
        auto environment = environment_of(command_);
        auto argv = pointers(arguments), envp = pointers(environment);
        pid_t parent = getpid();
        pid_ = fork();
        if (pid_ < 0) return broken("git cannot be started");
        if (pid_ == 0) become_git(argv, envp, parent);
        setpgid(pid_, pid_);
        in_.close_end(0);
        out_.close_end(1);
        err_.close_end(1);
        in_.never_wait(1);
        return {};
    }

    Result<Finished> talk(const std::function<bool(std::string_view)>& output) {
        Finished finished;
        while (out_.end(0) >= 0 || err_.end(0) >= 0) {
            if (command_.cancel.cancelled()) return fail(ErrorKind::cancelled, "cancelled");
            write_some();
            TARN_TRY(wait());
            if (!read_some(output, finished)) {
                finished.ended = true;
                stop();
                return finished;
            }
        }
        int status = 0;
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (finished.status == 127)
            return fail(ErrorKind::terminal, "git cannot be started", "git", "Install git on this machine.");
        return finished;
    }

  private:
    // Between fork and exec: only what a signal handler may call, too.
    [[noreturn]] void become_git(std::vector<char*>& argv, std::vector<char*>& envp, pid_t parent) const {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        // Go-betweens of pipes end by it when their reader is gone.
        signal(SIGPIPE, SIG_DFL);
        dup2(in_.end(0), 0);
        dup2(out_.end(1), 1);
        dup2(err_.end(1), 2);
        execvpe("git", argv.data(), envp.data());
        _exit(127);
    }

    void stop() {
        kill(-pid_, SIGKILL);
        while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
    }

    void write_some() {
        while (in_.end(1) >= 0) {
            if (written_ == command_.input.size()) {
                in_.close_end(1);
                return;
            }
            auto count = send(in_.end(1), command_.input.data() + written_, command_.input.size() - written_,
                              MSG_NOSIGNAL);
            if (count > 0) {
                written_ += static_cast<std::size_t>(count);
            } else if (errno == EINTR) {
                continue;
            } else if (errno == EAGAIN) {
                return;
            } else {
                // It reads no more: its status tells why.
                in_.close_end(1);
            }
        }
    }

    Result<> wait() {
        polled_ = {pollfd{out_.end(0), POLLIN, 0}, pollfd{err_.end(0), POLLIN, 0},
                   pollfd{in_.end(1), POLLOUT, 0}};
        if (poll(polled_.data(), polled_.size(), tick_ms) < 0 && errno != EINTR) return broken("poll");
        return {};
    }

    bool read_some(const std::function<bool(std::string_view)>& output, Finished& finished) {
        if (polled_[1].revents != 0) {
            auto piece = read_end(err_);
            finished.errors += piece;
            if (finished.errors.size() > errors_kept)
                finished.errors.erase(0, finished.errors.size() - errors_kept);
        }
        if (polled_[0].revents == 0) return true;
        auto piece = read_end(out_);
        return piece.empty() || output(piece);
    }

    std::string_view read_end(Pipe& pipe) {
        auto count = read(pipe.end(0), buffer_.data(), buffer_.size());
        if (count > 0) return {buffer_.data(), static_cast<std::size_t>(count)};
        if (count == 0 || errno != EINTR) pipe.close_end(0);
        return {};
    }

    const Command& command_;
    Pipe in_, out_, err_;
    pid_t pid_ = -1;
    std::size_t written_ = 0;
    std::array<pollfd, 3> polled_ = {};
    std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 17U);
};

}  // namespace

Result<Finished> run_git(const Command& command, const std::function<bool(std::string_view)>& output) {
    Child child(command);
    TARN_TRY(child.start());
    return child.talk(output);
}

Result<std::string> ask_git(const Command& command) {
    std::string out;
    TARN_ASSIGN(auto finished, run_git(command, [&](std::string_view piece) {
                    out += piece;
                    return true;
                }));
    if (finished.good()) return out;
    return fail(ErrorKind::transient, std::string(trimmed(valid_utf8(finished.errors))), "git");
}

}  // namespace tarn::git
