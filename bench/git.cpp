// Reads a repository's history and compares with one `git log --numstat` of it in the same run:
//   build/bench/git <repository> [without]
// Prints both times, wall and processors', their ratio, the time of a run without news, and, of another first reading (looking costs a fifth
// of the time), peak memory: ours, and with all gits beside it, pages that they share counted once. `without`: the comparison is left out.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "git/process.h"
#include "run/home.h"
#include "run/job.h"

namespace {

using namespace tarn;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Of this process and its children that have ended.
double processor_seconds() {
    constexpr double micro = 1e-6;
    double seconds = 0;
    for (auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage usage{};
        getrusage(who, &usage);
        for (const auto& time : {usage.ru_utime, usage.ru_stime})
            seconds += static_cast<double>(time.tv_sec) + micro * static_cast<double>(time.tv_usec);
    }
    return seconds;
}

long peak_mb() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

long proportional_kb(const std::string& process) {
    std::ifstream in("/proc/" + process + "/smaps_rollup");
    std::string word;
    long value = 0;
    while (in >> word) {
        if (word == "Pss:" && in >> value) return value;
    }
    return 0;
}

// Of this process and its children, looked at every 20 ms.
class PeakOfAll {
  public:
    PeakOfAll() : thread_([this](const std::stop_token& stop) { watch(stop); }) {}
    [[nodiscard]] long mb() {
        thread_.request_stop();
        thread_.join();
        return peak_kb_ / 1024;
    }

  private:
    void watch(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            long all = proportional_kb("self");
            std::error_code code;
            for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", code)) {
                std::ifstream children(task.path() / "children");
                for (std::string child; children >> child;) all += proportional_kb(child);
            }
            peak_kb_ = std::max(peak_kb_, all);
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
    long peak_kb_ = 0;
    std::jthread thread_;
};

Result<double> git_log(const std::string& repository) {
    git::Command command;
    command.arguments = {"-C", repository, "log", "--branches", "--tags", "--numstat"};
    auto begin = Clock::now();
    TARN_ASSIGN(auto finished, git::run_git(command, [](std::string_view) { return true; }));
    if (!finished.good()) return fail(ErrorKind::terminal, finished.errors, "git log");
    return seconds_since(begin);
}

Result<double> extract(const run::Platform& platform, const run::Home& home, const std::string& repository) {
    auto begin = Clock::now();
    run::JobRequest request;
    request.connector = platform.connector("gitextractor");
    request.options = {{"repoId", "bench:1"}, {"url", repository}, {"skipCommitFiles", false}};
    TARN_ASSIGN(auto job, run::prepare_job(home, request));
    TARN_ASSIGN(auto summary, run::run_task(job.spec, *job.client, home.data(), home.control()));
    for (const auto& [table, counts] : summary.tables)
        std::printf("  %s: %lld added\n", table.c_str(), static_cast<long long>(counts.added));
    if (summary.rejected > 0) std::printf("  %lld put aside\n", static_cast<long long>(summary.rejected));
    return seconds_since(begin);
}

struct Bench {
    std::string folder, path;
    std::unique_ptr<run::Platform> platform;

    // `work` gets a new home, which goes afterwards.
    Result<> in_home(const std::function<Result<>(const run::Home&)>& work) const {
        TARN_ASSIGN(auto settings, secrets::Settings::read(folder));
        TARN_ASSIGN(auto home, run::Home::open(folder, *platform, std::move(settings)));
        auto done = work(*home);
        home.reset();
        std::filesystem::remove_all(folder);
        return done;
    }
    Result<double> time(const run::Home& home) const {
        auto before = processor_seconds();
        TARN_ASSIGN(auto first, extract(*platform, home, path));
        std::printf("first reading: %.2f s, processors %.2f s\n", first, processor_seconds() - before);
        TARN_ASSIGN(auto quiet, extract(*platform, home, path));
        std::printf("without news:  %.3f s\n", quiet);
        return first;
    }
    Result<> memory(const run::Home& home) const {
        PeakOfAll peak;
        TARN_ASSIGN(auto again, extract(*platform, home, path));
        std::printf("looked at: %.2f s, peak %ld MB, with git %ld MB\n", again, peak_mb(), peak.mb());
        return {};
    }
    Result<> compare(double first) const {
        auto before = processor_seconds();
        TARN_ASSIGN(auto reference, git_log(path));
        std::printf("git log --numstat: %.2f s, processors %.2f s; %.2f times our time\n", reference,
                    processor_seconds() - before, reference / first);
        return {};
    }
};

Result<> measure(const std::string& repository, bool compare) {
    Bench bench;
    bench.folder =
        (std::filesystem::temp_directory_path() / ("tarn-bench-git-" + std::to_string(getpid()))).string();
    bench.path = std::filesystem::absolute(repository).string();
    TARN_ASSIGN(auto share, run::share_folder());
    TARN_ASSIGN(bench.platform, run::Platform::load(share, "", {"gitextractor"}));
    double first = 0;
    TARN_TRY(bench.in_home([&](const run::Home& home) -> Result<> {
        TARN_ASSIGN(first, bench.time(home));
        return {};
    }));
    if (compare) TARN_TRY(bench.compare(first));
    return bench.in_home([&](const run::Home& home) { return bench.memory(home); });
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        std::fputs("usage: git <repository> [without]\n", stderr);
        return 2;
    }
    auto done = measure(arguments[1], count < 3);
    if (done) return 0;
    std::fprintf(stderr, "%s\n", done.error().text().c_str());
    return 1;
}
