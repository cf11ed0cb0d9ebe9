// Reads a repository's history and compares with one `git log --numstat` of it in the same run:
//   build/bench/git <repository> [without]
// Prints both times, their ratio, peak memory (ours, and with all gits beside it, pages that they share counted once) and the time of a run
// without news. `without`: the comparison is left out.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
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

Result<> measure(const std::string& repository, bool compare) {
    auto folder = std::filesystem::temp_directory_path() / ("tarn-bench-git-" + std::to_string(getpid()));
    TARN_ASSIGN(auto share, run::share_folder());
    TARN_ASSIGN(auto platform, run::Platform::load(share, "", {"gitextractor"}));
    TARN_ASSIGN(auto settings, secrets::Settings::read(folder.string()));
    TARN_ASSIGN(auto home, run::Home::open(folder.string(), *platform, std::move(settings)));
    auto path = std::filesystem::absolute(repository).string();
    PeakOfAll peak;
    TARN_ASSIGN(auto first, extract(*platform, *home, path));
    std::printf("first reading: %.2f s, peak %ld MB, with git %ld MB\n", first, peak_mb(), peak.mb());
    TARN_ASSIGN(auto quiet, extract(*platform, *home, path));
    std::printf("without news:  %.3f s\n", quiet);
    if (compare) {
        TARN_ASSIGN(auto reference, git_log(path));
        std::printf("git log --numstat: %.2f s, %.2f times our time\n", reference, reference / first);
    }
    home.reset();
    std::filesystem::remove_all(folder);
    return {};
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
