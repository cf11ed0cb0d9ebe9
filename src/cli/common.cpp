#include "cli/common.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/text.h"
#include "cli/commands.h"

namespace tarn::cli {
namespace {

constexpr long watch_pause_ns = 100'000'000;

sigset_t stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

std::string home_folder(const std::string& given) {
    if (!given.empty()) return given;
    const char* set = std::getenv("TARN_HOME");
    return set == nullptr || *set == '\0' ? "./data" : set;
}

Result<std::unique_ptr<run::Platform>> load_platform(const secrets::Settings& settings,
                                                     const std::vector<std::string>& only) {
    TARN_ASSIGN(auto share, run::share_folder());
    return run::Platform::load(share, settings.get("CONNECTORS_PATH"), only);
}

Result<ReadableHome> home_for_reading(const std::string& folder) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder, ignored)) {
        return fail(ErrorKind::terminal, "there is no such home", folder,
                    "Choose one with --home, or run `tarn sync` or `tarn serve` first.");
    }
    auto lock = run::HomeLock::open(folder);
    if (lock) return ReadableHome{std::move(*lock), {}};
    auto holder = run::holder_of(folder);
    if (holder.url.empty()) return fail(lock.error());
    return ReadableHome{nullptr, holder.url};
}

Result<std::string> given_secret(const std::string& file, const std::string& variable,
                                 const std::string& what) {
    std::string secret;
    if (!variable.empty()) {
        const char* value = std::getenv(variable.c_str());
        if (value != nullptr) secret = value;
    } else if (file == "-") {
        secret.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else if (file.empty()) {
        return secret;
    } else if (!read_file(file, secret)) {
        return fail(ErrorKind::terminal, "cannot be read", file, "Check its name and rights.");
    }
    if (secret.ends_with('\n')) secret.pop_back();
    if (secret.ends_with('\r')) secret.pop_back();
    if (!secret.empty()) return secret;
    return fail(ErrorKind::bad_data, "the " + what + " given is empty", variable.empty() ? file : variable);
}

int tell(const Error& error) {
    if (error.kind == ErrorKind::cancelled) {
        std::cerr << "cancelled\n";
        return exit_cancelled;
    }
    std::cerr << "error: " << error.text() << "\n";
    return exit_failed;
}

void block_stop_signals() {
    sigset_t signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

StopSignals::StopSignals(std::function<void()> stop) : stop_(std::move(stop)), thread_([this] { watch(); }) {}

StopSignals::~StopSignals() {
    ended_ = true;
    thread_.join();
}

void StopSignals::watch() {
    sigset_t signals = stop_signals();
    bool stopping = false;
    while (!ended_) {
        timespec pause{0, watch_pause_ns};
        if (sigtimedwait(&signals, nullptr, &pause) <= 0) continue;
        if (stopping) std::_Exit(exit_cancelled);
        stopping = true;
        stop_();
    }
}

std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t right) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t c = 0; c < row.size(); ++c) {
            std::string blank(widths[c] - width_of(row[c]), ' ');
            line += (c == 0 ? "" : "  ") + (c >= right ? blank + row[c] : row[c] + blank);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

}  // namespace tarn::cli
