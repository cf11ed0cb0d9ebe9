// The numbers of many projects: per project 200 deployments, 300 pull requests and 50 incidents are made up, measured in one pass, and
// all numbers with their levels are asked for. Arguments: how many projects. MEMORY_LIMIT as for the program.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "connector/inputs.h"
#include "http/client.h"
#include "run/home.h"
#include "run/measure.h"
#include "run/numbers.h"
#include "run/platform.h"
#include "run/project_plan.h"
#include "run/task.h"

namespace {

using namespace tarn;
using Clock = std::chrono::steady_clock;

constexpr int deployments = 200, pulls = 300, incidents = 50;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double peak_mb() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

[[noreturn]] void stop(const Error& error) {
    std::cerr << error.text() << "\n";
    std::exit(1);
}

template <class T>
T must(Result<T> result) {
    if (!result) stop(result.error());
    return std::move(*result);
}
void must(Result<> result) {
    if (!result) stop(result.error());
}

// A project is a repository with a line of merges, a CI scope that deploys every other or every third of them, and a board.
std::string world(int projects) {
    return fmt::format(R"(
        insert into project_mapping (project_name, "table", row_id, updated_at)
            select 'project ' || p, t, t || ':' || p, now() from range({0}) a(p), (values ('repos'), ('cicd_scopes'), ('boards')) b(t);
        insert into repo_commits (repo_id, commit_sha, updated_at)
            select 'repos:' || p, 'm' || p || '.' || i, now() from range({0}) a(p), range({2}) b(i);
        insert into commit_parents (commit_sha, parent_commit_sha)
            select 'm' || p || '.' || i, 'm' || p || '.' || (i - 1) from range({0}) a(p), range(1, {2}) b(i);
        insert into pull_requests (id, base_repo_id, author_id, merge_commit_sha, title, created_date, merged_date, updated_at)
            select 'pr' || p || '.' || i, 'repos:' || p, 'ann', 'm' || p || '.' || i, 'a change', timestamp '2025-01-01' + to_minutes((i * 800)::integer),
                timestamp '2025-01-01' + to_minutes((i * 800 + 300)::integer), now()
            from range({0}) a(p), range({2}) b(i);
        insert into pull_request_commits (pull_request_id, commit_sha, commit_authored_date, updated_at)
            select 'pr' || p || '.' || i, 'c' || p || '.' || i || '.' || k, timestamp '2025-01-01' + to_minutes((i * 800 - 100 * k - 60)::integer), now()
            from range({0}) a(p), range({2}) b(i), range(2) c(k);
        insert into pull_request_comments (id, pull_request_id, account_id, created_date, updated_at)
            select 'n' || p || '.' || i, 'pr' || p || '.' || i, 'bob', timestamp '2025-01-01' + to_minutes((i * 800 + 60)::integer), now()
            from range({0}) a(p), range({2}) b(i);
        insert into cicd_pipelines (id, name, result, status, type, environment, created_date, started_date, finished_date, duration_sec, cicd_scope_id, updated_at)
            select 'd' || p || '.' || i, 'deploy', if(i % 10 = 9, 'FAILURE', 'SUCCESS'), 'DONE', 'DEPLOYMENT', 'PRODUCTION', t, t, t + interval 5 minute, 300,
                'cicd_scopes:' || p, now()
            from range({0}) a(p), (select i, timestamp '2025-01-01' + to_minutes((i * 1200 + 400)::integer) as t from range({1}) b(i));
        insert into cicd_tasks (id, pipeline_id, name, result, status, type, environment, cicd_scope_id, updated_at)
            select 't' || p || '.' || i, 'd' || p || '.' || i, 'deploy', 'SUCCESS', 'DONE', 'DEPLOYMENT', 'PRODUCTION', 'cicd_scopes:' || p, now()
            from range({0}) a(p), range({1}) b(i);
        insert into cicd_pipeline_commits (pipeline_id, commit_sha, repo_id, repo_url, updated_at)
            select 'd' || p || '.' || i, 'm' || p || '.' || (i * {2} // {1}), 'repos:' || p, 'https://git.example/' || p, now()
            from range({0}) a(p), range({1}) b(i);
        insert into issues (id, issue_key, title, type, status, created_date, resolution_date, lead_time_minutes, updated_at)
            select 'i' || p || '.' || i, i, 'incident', 'INCIDENT', 'DONE', t, t + interval 3 hour, 180, now()
            from range({0}) a(p), (select i, timestamp '2025-01-02' + to_minutes((i * 4800)::integer) as t from range({3}) b(i));
        insert into board_issues (board_id, issue_id, updated_at)
            select 'boards:' || p, 'i' || p || '.' || i, now() from range({0}) a(p), range({3}) b(i);
    )",
                       projects, deployments, pulls, incidents);
}

class Bench {
  public:
    Bench(std::string folder, int projects) : folder_(std::move(folder)), projects_(projects) {
        platform_ = must(run::Platform::load(must(run::share_folder())));
        home_ = must(run::Home::open(folder_, *platform_, must(secrets::Settings::read(folder_))));
        must(home_->data().write([&](duck::Connection& connection) -> Result<> {
            TARN_TRY(connection.run(world(projects)));
            return {};
        }));
        must(home_->data().exclusive([](duck::Connection& connection) -> Result<> {
            TARN_TRY(connection.run("checkpoint"));
            return {};
        }));
    }
    ~Bench() { std::filesystem::remove_all(folder_); }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    double compute() {
        auto plan = must(run::stages_of(*platform_, "dora", "", nlohmann::json::object()));
        auto client = must(http::open_client({}));
        auto start = Clock::now();
        for (const auto& stage : plan) {
            for (const auto& task : stage) {
                for (const auto& subtask : task["subtasks"]) run_subtask(task, subtask, *client);
            }
        }
        return since(start);
    }

    // Value: seconds. Every project must have every number that has levels.
    double ask() {
        auto numbers = must(run::Numbers::load(*platform_));
        auto connection = must(home_->data().reader());
        auto range = must(run::range_of("2025-01-01", "2025-06-30", 0));
        auto start = Clock::now();
        for (const auto* number : numbers.newest()) {
            auto one = Clock::now();
            auto values = must(run::measure(*connection, *number, "", range));
            report("number: " + number->name, since(one));
            if (!number->levels.empty() && values.size() != static_cast<std::size_t>(projects_))
                stop({ErrorKind::bug,
                      fmt::format("{} projects have a number", values.size()),
                      number->name,
                      {}});
        }
        return since(start);
    }

    static void report(const std::string& what, double seconds) {
        std::cout << fmt::format("  {:<48} {:>8.2f} s, peak {:.0f} MB\n", what, seconds, peak_mb());
    }

  private:
    void run_subtask(const nlohmann::json& task, const nlohmann::json& subtask, http::Client& client) {
        run::TaskSpec spec;
        spec.connector = platform_->connector(task["plugin"].get<std::string>());
        spec.subtasks = {subtask.get<std::string>()};
        spec.values = must(connector::task_values(spec.connector->connector, {{"projectName", ""}}, {}, "",
                                                  [](const std::string&) { return std::string(); }));
        auto start = Clock::now();
        must(run::run_task(spec, client, home_->data(), home_->control()));
        report(spec.subtasks[0], since(start));
    }

    std::string folder_;
    int projects_;
    std::unique_ptr<run::Platform> platform_;
    std::unique_ptr<run::Home> home_;
};

}  // namespace

int main(int argc, char** argv) {
    std::cout << std::unitbuf;
    int projects = argc > 1 ? std::atoi(argv[1]) : 1000;
    ::setenv("MEMORY_LIMIT", "1GB", 0);
    ::setenv(secrets::secret_setting, std::string(128, 'A').c_str(), 0);
    auto folder = std::filesystem::temp_directory_path() / fmt::format("tarn-bench-dora-{}", ::getpid());
    std::filesystem::remove_all(folder);
    Bench bench(folder.string(), projects);
    std::cout << fmt::format("{} projects: {} deployments, {} pull requests, {} incidents\n", projects,
                             projects * deployments, projects * pulls, projects * incidents);
    double first = bench.compute();
    double asked = bench.ask();
    double again = bench.compute();
    auto rows = static_cast<double>(projects) * (deployments + pulls + incidents);
    std::cout << fmt::format(
        "total: {:.1f} s computed, {:.1f} s again without news, {:.1f} s all numbers; {:.0f} rows/s; peak "
        "{:.0f} MB\n",
        first, again, asked, rows / (first + asked), peak_mb());
    return 0;
}
