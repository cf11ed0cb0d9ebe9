// Reads a repository's history and compares with one `git log --numstat` of it in the same run:
//   build/bench/git <repository> [without]
// Prints both times, their ratio, peak memory (ours, and the largest git beside it) and the time of a run without news. `without`: the
// comparison is left out.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include "git/process.h"
#include "run/home.h"
#include "run/job.h"

namespace {

using namespace tarn;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

long peak_mb(int who) {
    rusage usage{};
    getrusage(who, &usage);
    return usage.ru_maxrss / 1024;
}

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
    TARN_ASSIGN(auto first, extract(*platform, *home, path));
    std::printf("first reading: %.2f s, peak %ld MB, largest git %ld MB\n", first, peak_mb(RUSAGE_SELF),
                peak_mb(RUSAGE_CHILDREN));
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
