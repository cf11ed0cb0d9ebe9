// `tarn worker`
#include <iostream>
#include <set>

#include <fmt/format.h>

#include "api/server.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "run/home.h"
#include "run/pipelines.h"
#include "run/scheduler.h"
#include "upgrade/upgrade.h"

namespace tarn::cli {
namespace {

struct WorkerOptions {
    std::string home, host = "127.0.0.1";
    int port = -1;  // -1: none
};

// What watches a process may ask; the API is up to `tarn serve`.
api::Dispatch probes_of(const api::Services& services) {
    return [whole = api::dispatch_to(services)](const std::string& method, const std::string& target,
                                                api::Call call) {
        static const std::set<std::string> known = {"/health", "/metrics", "/ping", "/ready", "/version"};
        if (known.contains(target.substr(0, target.find('?')))) return whole(method, target, std::move(call));
        return api::envelope(404, "this is a worker: the API is at `tarn serve`");
    };
}

Result<> work(const WorkerOptions& options) {
    auto folder = home_folder(options.home);
    Waiter waiter;
    StopSignals signals([&] { waiter.stop(); });
    TARN_ASSIGN(auto settings, secrets::Settings::read(folder));
    if (settings.get("DB_URL").empty())
        return fail(ErrorKind::terminal,
                    "is not set: a home in files has one process alone, and `tarn serve` is it", "DB_URL",
                    "Set DB_URL to the database that the workers share, or run `tarn serve`.");
    TARN_ASSIGN(auto platform, load_platform(settings));
    for (const auto& problem : platform->problems()) log()->warn("connector left out: {}", problem.text());
    TARN_TRY(upgrade::require_upgraded(folder, *platform, settings));
    TARN_ASSIGN(auto home, run::Home::open(folder, *platform, settings));
    if (!home->key().good()) log()->error("degraded: {}", home->key().problem().text());
    if (!home->key().note.empty()) log()->warn("{}", home->key().note);
    TARN_ASSIGN(auto pipelines, run::Pipelines::make(*home, *platform));
    std::unique_ptr<api::Server> server;
    if (options.port >= 0) {
        auto probes =
            probes_of({.platform = platform.get(), .home = home.get(), .pipelines = pipelines.get()});
        TARN_ASSIGN(server, api::Server::start(probes, options.host, options.port));
    }
    TARN_TRY(pipelines->start());
    run::Scheduler scheduler(*home, *platform, *pipelines);
    std::cout << fmt::format("tarn {} works on the pipelines of the database", TARN_VERSION);
    if (server) std::cout << fmt::format("; its probes are at port {}", server->port());
    std::cout << std::endl;
    waiter.wait();
    log()->info("stopping");
    server.reset();
    return {};
}

}  // namespace

void add_worker(CLI::App& app, int& exit_code) {
    auto* command =
        app.add_subcommand("worker", "Work on the pipelines of a database server, beside others that do");
    auto options = std::make_shared<WorkerOptions>();
    command->add_option("--home", options->home, "folder of the cache (TARN_HOME, ./data)");
    command
        ->add_option("--port", options->port,
                     "answer /health, /ready and /metrics at this port; 0: a free one (none)")
        ->check(CLI::Range(0, 65535));
    command->add_option("--host", options->host, "address to listen on")->capture_default_str();
    command->callback([options, &exit_code] {
        auto worked = work(*options);
        exit_code = worked ? exit_done : tell(worked.error());
    });
}

}  // namespace tarn::cli
