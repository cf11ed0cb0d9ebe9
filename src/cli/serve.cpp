// `tarn serve`
#include <algorithm>
#include <iostream>

#include <fmt/format.h>

#include "api/gate.h"
#include "api/server.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "run/cache_keeper.h"
#include "run/home.h"
#include "run/pipelines.h"
#include "run/scheduler.h"
#include "upgrade/upgrade.h"

namespace tarn::cli {
namespace {

struct ServeOptions {
    std::string home, host = "127.0.0.1";
    int port = -1;  // -1: PORT, else 8080
};

Result<int> port_of(const ServeOptions& options, const secrets::Settings& settings) {
    if (options.port >= 0) return options.port;
    auto text = settings.get("PORT");
    if (text.empty()) return 8080;
    if (text.starts_with(':')) text.erase(0, 1);
    bool digits =
        !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos;
    if (digits && std::stoi(text) < 65536) return std::stoi(text);
    return fail(ErrorKind::terminal, "must be a port number, found '" + text + "'", "PORT");
}

// A declared field that makes sense in an example, if there is a connector at all.
void print_next_step(const std::string& url, const run::Platform& platform) {
    std::cout << "tarn " << TARN_VERSION << " serves " << url << "\n";
    auto found = std::ranges::find_if(platform.connectors(),
                                      [](const auto& loaded) { return !loaded->connector.is_metric(); });
    if (found == platform.connectors().end()) {
        std::cout << "No connector was found: set CONNECTORS_PATH to a folder that holds some.\n";
        return;
    }
    const auto& connector = (*found)->connector;
    std::cout << "Next: add a connection, for example\n"
              << fmt::format("  curl {}/api/plugins/{}/connections -d '{{\"name\": \"mine\"", url,
                             connector.name);
    for (const auto& field : connector.connection.fields) {
        if (field.kind == "url")
            std::cout << fmt::format(", \"{}\": \"{}\"", field.name,
                                     field.default_value.empty() ? "https://…" : field.default_value);
    }
    if (!connector.connection.auth.empty()) {
        auto token = connector.connection.auth.front().settings.find("token");
        if (token != connector.connection.auth.front().settings.end())
            std::cout << fmt::format(", \"{}\": \"…\"", token->second);
    }
    std::cout << "}'\n"
              << "or, with the server stopped, `tarn sync " << connector.name
              << " --help`. Connectors: `tarn connector list`.\n";
}

struct Boot {
    const ServeOptions& options;
    const std::string& folder;
    const run::Platform& platform;
    secrets::Settings& settings;
    Waiter& waiter;
    int port;
};

std::string shown_url(const ServeOptions& options, int port) {
    bool any = options.host == "0.0.0.0" || options.host == "::";
    std::string shown = any                                           ? "127.0.0.1"
                        : options.host.find(':') == std::string::npos ? options.host
                                                                      : "[" + options.host + "]";
    return fmt::format("http://{}:{}", shown, port);
}

// The port answers from here on: probes, the plan, 428 for the rest, until the upgrade is made. Null: the process is to stop.
Result<std::unique_ptr<api::Server>> upgrade_behind_gate(const Boot& boot, upgrade::Upgrade& upgrade,
                                                         const upgrade::Plan& planned) {
    std::shared_ptr<api::Gate> gate;
    api::GateWork work;
    work.upgrade = [&] {
        return upgrade.apply([&](const std::string& what) {
            log()->info("upgrade: {}", what);
            gate->tell_progress(what);
        });
    };
    work.plan = [&]() -> Result<nlohmann::json> {
        TARN_ASSIGN(auto plan, upgrade.plan());
        return plan.json();
    };
    work.done = [waiter = &boot.waiter] { waiter->go_on(); };
    gate = std::make_shared<api::Gate>(work);
    auto dispatch = [gate](const std::string& method, const std::string& target, const api::Call&) {
        return gate->answer(method, target);
    };
    TARN_ASSIGN(auto server, api::Server::start(dispatch, boot.options.host, boot.port));
    auto url = shown_url(boot.options, server->port());
    if (!planned.problems.empty()) {
        const auto& problem = planned.problems.front();
        gate->tell_problem(problem.text());
        log()->error("the database cannot be upgraded yet: {}", problem.text());
    }
    auto force = lower(boot.settings.get("FORCE_MIGRATION"));
    if (planned.problems.empty() && (force == "true" || force == "1" || force == "t")) {
        std::cout << fmt::format("tarn {} upgrades the database; {}\n", TARN_VERSION, url) << std::flush;
        auto answer = gate->proceed();
        if (answer.status != 200) log()->error("the upgrade failed: {}", answer.body.value("message", ""));
    } else {
        std::cout << fmt::format("tarn {} waits for consent to upgrade the database at {}\n", TARN_VERSION,
                                 url)
                  << "Next: read `tarn upgrade plan`, then agree with GET /proceed-db-migration, or set "
                     "FORCE_MIGRATION=true.\n"
                  << std::flush;
    }
    if (!boot.waiter.wait()) server.reset();
    return server;
}

struct Upgraded {
    bool goes_on = true;
    std::unique_ptr<api::Server> server;  // that answers already
};

// A database of Apache DevLake is upgraded first.
Result<Upgraded> upgraded(const Boot& boot) {
    if (boot.settings.get("DB_URL").empty()) return Upgraded{};
    TARN_ASSIGN(auto lock, run::HomeLock::open(boot.folder));
    TARN_ASSIGN(auto upgrade, upgrade::Upgrade::open(boot.folder, boot.platform, boot.settings));
    TARN_ASSIGN(auto plan, upgrade->plan());
    if (!plan.due())
        return plan.problems.empty() ? Result<Upgraded>(Upgraded{}) : fail(plan.problems.front());
    TARN_ASSIGN(auto server, upgrade_behind_gate(boot, *upgrade, plan));
    bool agreed = server != nullptr;
    return Upgraded{agreed, std::move(server)};
}

Result<> serve(const ServeOptions& options) {
    auto folder = home_folder(options.home);
    Waiter waiter;
    StopSignals signals([&] { waiter.stop(); });
    TARN_ASSIGN(auto settings, secrets::Settings::read(folder));
    TARN_ASSIGN(int port, port_of(options, settings));
    TARN_ASSIGN(auto platform, load_platform(settings));
    for (const auto& problem : platform->problems()) log()->warn("connector left out: {}", problem.text());
    TARN_ASSIGN(auto before, upgraded({options, folder, *platform, settings, waiter, port}));
    if (!before.goes_on) return {};
    TARN_ASSIGN(auto home, run::Home::open(folder, *platform, settings));
    if (!home->key().good()) log()->error("degraded: {}", home->key().problem().text());
    if (!home->key().note.empty()) log()->warn("{}", home->key().note);
    TARN_ASSIGN(auto pipelines, run::Pipelines::make(*home, *platform));
    auto dispatch =
        api::dispatch_to({.platform = platform.get(), .home = home.get(), .pipelines = pipelines.get()});
    auto server = std::move(before.server);
    if (!server) {
        TARN_ASSIGN(server, api::Server::start(dispatch, options.host, port));
    }
    TARN_TRY(pipelines->start());
    run::Scheduler scheduler(*home, *platform, *pipelines);
    run::CacheKeeper keeper(*home);
    server->use(dispatch);
    auto url = shown_url(options, server->port());
    home->announce(url);
    print_next_step(url, *platform);
    std::cout << std::flush;
    waiter.wait();
    log()->info("stopping");
    home->announce("");
    server.reset();
    return {};
}

}  // namespace

void add_serve(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("serve", "Serve the API");
    auto options = std::make_shared<ServeOptions>();
    command->add_option("--port", options->port, "port; 0: a free one (PORT, 8080)")
        ->check(CLI::Range(0, 65535));
    command->add_option("--host", options->host, "address to listen on")->capture_default_str();
    command->add_option("--home", options->home, "folder of the data (TARN_HOME, ./data)");
    command->callback([options, &exit_code] {
        auto served = serve(*options);
        exit_code = served ? exit_done : tell(served.error());
    });
}

}  // namespace tarn::cli
