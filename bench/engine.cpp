// Speed of extract and convert: issues of 4 kB through connectors/github, first time, again, and with three changes in many.
// Prints one figure a line; bench/run puts them together.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "connector/inputs.h"
#include "model/engine.h"
#include "run/home.h"
#include "run/platform.h"
#include "run/task.h"
#include "store/raw.h"

namespace {

using namespace tarn;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double resident_mb() {
    std::ifstream in("/proc/self/statm");
    long size = 0;
    long resident = 0;
    in >> size >> resident;
    return static_cast<double>(resident) * 4096 / 1e6;
}

double peak_mb() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::cerr << result.error().text() << "\n";
        std::exit(1);
    }
    return std::move(*result);
}
void must(Result<> result) {
    if (!result) {
        std::cerr << result.error().text() << "\n";
        std::exit(1);
    }
}

// Words that differ from document to document, so that compression has real work to do.
std::string words(std::uint64_t& state, std::size_t bytes) {
    static const char* const list[] = {
        "pipeline", "deploy",  "failure", "the",   "when",  "review", "merge", "branch", "latency", "cache",
        "worker",   "request", "timeout", "retry", "token", "and",    "of",    "with",   "for",     "a"};
    std::string text;
    while (text.size() < bytes) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        std::uint64_t pick = state >> 33U;
        text += list[pick % 20];
        text += pick % 7 == 0 ? " " + std::to_string(pick % 100000) + " " : " ";
    }
    return text;
}

std::string issue(std::int64_t number, int version) {
    std::uint64_t state = static_cast<std::uint64_t>(number) * 2654435761U + 1;
    std::string time = format_rfc3339(1'600'000'000'000 + number * 60'000);
    nlohmann::json user = {{"login", "user" + std::to_string(number % 500)},
                           {"id", number % 500 + 1},
                           {"type", "User"},
                           {"site_admin", false}};
    nlohmann::json item = {{"id", 900'000'000 + number},
                           {"node_id", "I_" + std::to_string(number * 7919)},
                           {"number", number},
                           {"title", words(state, 60) + std::to_string(version)},
                           {"state", number % 3 == 0 ? "open" : "closed"},
                           {"html_url", "https://example.org/o/r/issues/" + std::to_string(number)},
                           {"url", "https://example.org/api/repos/o/r/issues/" + std::to_string(number)},
                           {"user", user},
                           {"assignee", number % 2 == 0 ? user : nlohmann::json()},
                           {"assignees", nlohmann::json::array({user})},
                           {"labels", nlohmann::json::array({{{"id", 1}, {"name", "type/bug"}},
                                                             {{"id", 2}, {"name", "severity/major"}}})},
                           {"created_at", time},
                           {"updated_at", time},
                           {"body", words(state, 3450)}};
    item["closed_at"] = number % 3 == 0 ? nlohmann::json() : nlohmann::json(time);
    return item.dump();
}

class Bench {
  public:
    explicit Bench(std::string folder) : folder_(std::move(folder)) {
        std::filesystem::remove_all(folder_);
        platform_ = must(run::Platform::load(must(run::share_folder()), "", {"github"}));
        for (const auto& problem : platform_->problems()) std::cerr << problem.text() << "\n";
        home_ = must(run::Home::open(folder_, *platform_, must(secrets::Settings::read(folder_))));
        github_ = platform_->connector("github");
        if (github_ == nullptr) std::exit(1);
        values_ = must(connector::task_values(github_->connector,
                                              {{"connectionId", 1}, {"githubId", 1}, {"name", "o/r"}},
                                              {{"issueTypeBug", "bug"}, {"issueSeverity", "severity/(.*)"}},
                                              "", connector::process_environment));
    }
    ~Bench() { std::filesystem::remove_all(folder_); }

    void collect(std::int64_t from, std::int64_t to, int version, const char* what) {
        auto pass = must(RawPass::open(home_->data(), home_->control(), "issues", "_raw_github_api_issues",
                                       values_.params, what, now_millis()));
        double spent = 0;
        std::vector<RawItem> items;
        auto flush = [&] {
            auto start = Clock::now();
            must(pass.write(items, {}, {}));
            spent += since(start);
            items.clear();
        };
        for (std::int64_t number = from; number < to; ++number) {
            items.push_back({"", std::to_string(number), issue(number, version), "", ""});
            if (items.size() == 2000) flush();
        }
        if (!items.empty()) flush();
        auto start = Clock::now();
        must(pass.finish(false));
        must(home_->data().exclusive([](duck::Connection& connection) -> Result<> {
            TARN_TRY(connection.run("checkpoint"));
            return {};
        }));
        report(what, to - from, spent + since(start));
    }

    double stage(const char* subtask, bool full, const char* what, std::int64_t documents) {
        model::ScopeRun run;
        run.inputs = values_.inputs;
        run.params = values_.params;
        run.full = full;
        double cpu = cpu_seconds();
        auto start = Clock::now();
        auto counts = must(model::run_stage(home_->data(), home_->control(), github_->models,
                                            github_->models.of_subtask(subtask), run));
        double seconds = since(start);
        std::int64_t written = 0;
        for (const auto& [id, count] : counts) written += count.added + count.changed + count.deleted;
        report(what, documents, seconds);
        std::cout << fmt::format(
            "{:<44} {:>10} rows written, {:.3f} ms CPU a document, resident {:.0f} MB, peak {:.0f} MB\n", "",
            written, (cpu_seconds() - cpu) * 1000 / static_cast<double>(documents), resident_mb(), peak_mb());
        return seconds;
    }

    static void report(const char* what, std::int64_t count, double seconds) {
        std::cout << fmt::format("{:<44} {:>10.0f} documents/s  {:>8.3f} s\n", what,
                                 static_cast<double>(count) / seconds, seconds);
    }

  private:
    std::string folder_;
    std::unique_ptr<run::Platform> platform_;
    std::unique_ptr<run::Home> home_;
    const run::LoadedConnector* github_ = nullptr;
    connector::TaskValues values_;
};

}  // namespace

int main(int argc, char** argv) {
    std::cout << std::unitbuf;
    std::int64_t documents = argc > 1 ? std::atoll(argv[1]) : 100'000;
    std::int64_t many = argc > 2 ? std::atoll(argv[2]) : 500'000;
    ::setenv("MEMORY_LIMIT", "512MB", 0);
    ::setenv(secrets::secret_setting, std::string(128, 'A').c_str(), 0);
    std::string folder =
        (std::filesystem::temp_directory_path() / ("tarn-bench-" + std::to_string(::getpid()))).string();
    Bench bench(folder);
    std::cout << fmt::format("issues of {} bytes\n", issue(1, 0).size());
    bench.collect(0, documents, 0, "raw rows, first time");
    bench.stage("Extract Issues", true, "extract, first time", documents);
    bench.stage("Extract Issues", true, "extract, again (all equal)", documents);
    bench.stage("Convert Issues", true, "convert, first time", documents);
    bench.stage("Convert Issues", true, "convert, again (all equal)", documents);
    bench.collect(0, documents, 0, "raw rows, again (all equal)");
    if (many > documents) {
        bench.collect(documents, many, 0, "raw rows, more");
        bench.stage("Extract Issues", false, "extract, more", many - documents);
        bench.stage("Convert Issues", false, "convert, more", many - documents);
    }
    bench.collect(5, 8, 1, "3 changed raw rows");
    double extract = bench.stage("Extract Issues", false, "extract, 3 changed", 3);
    double convert = bench.stage("Convert Issues", false, "convert, 3 changed", 3);
    std::cout << fmt::format("3 changed of {}: {:.3f} s after collection\n", std::max(documents, many),
                             extract + convert);
    return 0;
}
