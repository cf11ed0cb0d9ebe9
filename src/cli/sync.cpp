// `tarn sync <connector>`: one scope, from the source to domain rows, without a server.
//
// All flags but a few come from the connector's declaration: its connection's fields (secrets as the name of an environment variable,
// `--token-env`, so that none stands in the process list) and its scope's options.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/progress.h"
#include "http/url.h"
#include "run/connection.h"
#include "run/git_task.h"
#include "run/home.h"
#include "run/job.h"
#include "run/leases.h"
#include "run/measure.h"
#include "run/numbers.h"
#include "run/scope_configs.h"
#include "run/scopes.h"
#include "upgrade/upgrade.h"

namespace tarn::cli {
namespace {

using Json = nlohmann::json;
using connector::Connector;

struct SyncOptions {
    std::map<std::string, std::string> fields;   // connection field -> value
    std::map<std::string, std::string> secrets;  // connection field -> name of an environment variable
    std::map<std::string, std::string> scope;    // scope option -> value
    std::string home, subtasks, time_after, project;
    bool full = false, skip_collectors = false, git = false;
};

// ---- flags from the declaration

std::string kebab_case(const std::string& name) {
    std::string out;
    for (char c : name) {
        if (std::isupper(static_cast<unsigned char>(c)) != 0) out += '-';
        out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return out;
}

// What a scope is called: `_tool_github_repos` holds repos, so --repo.
std::string scope_word(const Connector& connector) {
    auto word = connector.scope.table;
    std::string prefix = "_tool_" + connector.name + "_";
    if (word.starts_with(prefix)) word = word.substr(prefix.size());
    if (word.ends_with('s')) word.pop_back();
    return replaced(word, "_", "-");
}

bool is_number(const Connector& connector, const std::string& column) {
    const Table* table = run::Scopes::table_of(connector, connector.scope.table);
    const Column* found = table == nullptr ? nullptr : table->column(column);
    return found != nullptr && found->type != ColumnType::varchar && found->type != ColumnType::text;
}

// The option that the scope's word stands for: the first text among the options, else the id.
std::string scope_option(const Connector& connector) {
    std::string id;
    for (const auto& [option, column] : connector.scope.options) {
        if (!is_number(connector, column)) return option;
        if (column == connector.scope.id) id = option;
    }
    return id;
}

std::string flag_of(const CLI::App& app, const std::string& flag) {
    return app.get_option_no_throw("--" + flag) == nullptr ? "--" + flag : "";
}

void add_scope_flags(CLI::App& app, const Connector& connector, SyncOptions& options) {
    std::string named = scope_option(connector);
    for (const auto& [option, column] : connector.scope.options) {
        if (column == "connection_id") continue;
        std::vector<std::string> flags;
        if (option == named) flags.push_back(flag_of(app, scope_word(connector)));
        flags.push_back(flag_of(app, kebab_case(option)));
        if (flags.back() == flags.front() && flags.size() > 1) flags.pop_back();
        std::erase(flags, "");
        if (!flags.empty())
            app.add_option(join(flags, ","), options.scope[option],
                           option == named ? "which one" : "the same by another column")
                ->group("Scope");
    }
}

void add_connection_flags(CLI::App& app, const Connector& connector, SyncOptions& options) {
    for (const auto& field : connector.connection.fields) {
        // The scope's `--name` is what a user means.
        if (field.name == "name") continue;
        bool secret = field.kind == "secret";
        auto flag = flag_of(app, kebab_case(field.name) + (secret ? "-env" : ""));
        if (flag.empty()) continue;
        std::string help = field.title + (secret ? ": name of the environment variable that holds it" : "");
        if (!field.default_value.empty()) help += " [" + field.default_value + "]";
        // What no form shows is not listed either.
        app.add_option(flag, secret ? options.secrets[field.name] : options.fields[field.name], help)
            ->group(field.title.empty() ? "" : "Connection");
    }
}

void add_own_flags(CLI::App& app, SyncOptions& options) {
    app.add_option("--home", options.home, "folder of the data (TARN_HOME, ./data)");
    app.add_flag("--full", options.full, "collect and transform everything anew");
    app.add_flag("--skip-collectors", options.skip_collectors, "transform only what is there");
    app.add_flag("--git", options.git, "also read the history of the scope's repository");
    app.add_option("--subtasks", options.subtasks, "only these, separated by commas");
    app.add_option("--time-after", options.time_after,
                   "only what is younger, 2026-01-31 or 2026-01-31T12:00:00Z");
    app.add_option("--in-project", options.project, "make the scope a part of this project");
}

// ---- connection and scope

Result<Json> body_of(const SyncOptions& options) {
    Json body = Json::object();
    for (const auto& [name, value] : options.fields) {
        if (!value.empty()) body[name] = value;
    }
    for (const auto& [name, variable] : options.secrets) {
        if (variable.empty()) continue;
        const char* value = std::getenv(variable.c_str());
        if (value == nullptr || *value == '\0') {
            return fail(ErrorKind::bad_data, "the environment variable " + variable + " is not set",
                        "--" + kebab_case(name) + "-env");
        }
        body[name] = std::string(trimmed(value));
    }
    return body;
}

std::string without_slash(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

std::string endpoint_of(const Connector& connector, const Json& body) {
    if (body.contains("endpoint")) return body["endpoint"].get<std::string>();
    auto field = std::ranges::find(connector.connection.fields, "endpoint", &connector::Field::name);
    return field == connector.connection.fields.end() ? "" : field->default_value;
}

std::string free_name(const std::vector<run::Connection>& taken, const std::string& wanted) {
    auto used = [&](const std::string& name) {
        return std::ranges::any_of(taken,
                                   [&](const auto& connection) { return connection.text("name") == name; });
    };
    std::string name = wanted;
    for (int i = 2; used(name); ++i) name = fmt::format("{} {}", wanted, i);
    return name;
}

// The connection to this endpoint, made or changed where the flags say something new.
Result<run::Connection> connection_for(const run::Home& home, const Connector& connector, Json body) {
    run::Connections connections(connector, home.control(), home.cipher());
    TARN_ASSIGN(auto all, connections.list());
    auto endpoint = endpoint_of(connector, body);
    for (const auto& connection : all) {
        if (without_slash(connection.text("endpoint")) != without_slash(endpoint)) continue;
        bool changed = false;
        for (const auto& [name, value] : body.items()) {
            changed = changed || connection.text(name) != value.get<std::string>();
        }
        return changed ? connections.change(connection, body) : Result<run::Connection>(connection);
    }
    auto host = http::host_of(endpoint);
    body["name"] = free_name(all, host.empty() ? connector.name : host);
    return connections.create(body);
}

Result<Json> scope_options(const Connector& connector, const SyncOptions& options,
                           std::int64_t connection_id) {
    Json out = {{"connectionId", connection_id}};
    for (const auto& [option, column] : connector.scope.options) {
        auto given = options.scope.find(option);
        if (given == options.scope.end() || given->second.empty()) continue;
        if (!is_number(connector, column)) {
            out[option] = given->second;
            continue;
        }
        const auto& text = given->second;
        bool digits = text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
        if (!digits)
            return fail(ErrorKind::bad_data, "must be a whole number, found '" + text + "'",
                        "--" + kebab_case(option));
        out[option] = std::stoll(text);
    }
    return out;
}

// A refused secret is named by the flag's variable: the user has no other name for it.
Error with_variables(Error error, const SyncOptions& options) {
    bool refused = error.message.find("status 401") != std::string::npos ||
                   error.message.find("answered 401") != std::string::npos;
    if (!refused) return error;
    std::vector<std::string> names;
    for (const auto& [field, variable] : options.secrets) {
        if (!variable.empty()) names.push_back(fmt::format("{} in ${}", field, variable));
    }
    error.next_step = names.empty() ? "Give a valid token: the stored one is no longer accepted (see --help)."
                                    : "Check the " + join(names, ", ") + ".";
    return error;
}

// ---- result

std::string duration(Millis time) {
    if (time < 60'000) return fmt::format("{:.1f} s", static_cast<double>(time) / 1000);
    return fmt::format("{} min {} s", time / 60'000, time / 1000 % 60);
}

void print_summary(const run::TaskSummary& summary) {
    std::vector<std::vector<std::string>> rows = {{"table", "added", "changed", "deleted"}};
    for (const auto& [name, counts] : summary.tables) {
        if (counts.added + counts.changed + counts.deleted == 0) continue;
        rows.push_back({name, std::to_string(counts.added), std::to_string(counts.changed),
                        std::to_string(counts.deleted)});
    }
    std::cout << (rows.size() == 1 ? "nothing has changed\n" : text_table(rows, 1));
    std::cout << fmt::format("{} requests, {}\n", summary.requests, duration(summary.milliseconds));
    if (summary.cut > 0)
        std::cout << fmt::format("{} texts were cut at their column's length\n", summary.cut);
    if (summary.rejected > 0) std::cout << fmt::format("{} rows were put aside\n", summary.rejected);
    if (summary.cut + summary.rejected > 0)
        std::cout
            << "See them: tarn query \"select * from _tarn_rejects order by created_at desc limit 20\"\n";
}

Result<> print_numbers(const run::Home& home, const run::Platform& platform, const std::string& project) {
    TARN_ASSIGN(auto numbers, run::Numbers::load(platform));
    TARN_ASSIGN(auto connection, home.data().reader());
    TARN_ASSIGN(auto values,
                run::project_numbers(*connection, numbers, project, run::usual_range(now_millis())));
    std::vector<std::vector<std::string>> rows = {{"number", "value", "level", "explained by"}};
    for (const auto& one : values) {
        rows.push_back({one["title"], run::number_text(one["value"], one["unit"]),
                        run::level_text(one["levels"]), "tarn explain " + one["metric"].get<std::string>()});
    }
    std::cout << fmt::format(
                     "\n{}, the last half year (tarn explain <number> --project \"{}\" shows the rows):\n",
                     project, project)
              << text_table(rows, rows[0].size());
    return {};
}

// The numbers of every project that the scope is part of.
Result<> measure(const run::Home& home, const run::Platform& platform, const run::Job& job,
                 const SyncOptions& options, const CancelToken& cancel) {
    const auto& connector = job.spec.connector->connector;
    const auto& params = job.spec.values.params;
    if (!options.project.empty()) {
        TARN_ASSIGN(auto count, run::add_to_project(home, platform, connector, params, options.project));
        if (count == 0)
            std::cout << "nothing of the scope belongs into a project: it has no repository, board or CI\n";
    }
    TARN_ASSIGN(auto projects, run::projects_of_scope(home, connector, params));
    for (const auto& project : projects) {
        TARN_TRY(run::measure_project(home, platform, project, cancel));
        TARN_TRY(print_numbers(home, platform, project));
    }
    return {};
}

Result<run::Job> prepare(const run::Home& home, const run::LoadedConnector& loaded,
                         const SyncOptions& options, const CancelToken& cancel, Json& scope) {
    run::JobRequest request;
    request.connector = &loaded;
    request.subtasks = split(options.subtasks, ',');
    request.full_sync = options.full;
    request.skip_collectors = options.skip_collectors;
    request.cancel = cancel;
    if (!options.time_after.empty() && parse_time(options.time_after, request.time_after) != Parsed::ok) {
        return fail(ErrorKind::bad_data,
                    "must be a time such as 2026-01-31, found '" + options.time_after + "'", "--time-after");
    }
    TARN_TRY(run::chosen_subtasks(loaded.connector, request.subtasks, options.skip_collectors));
    TARN_ASSIGN(auto body, body_of(options));
    TARN_ASSIGN(auto connection, connection_for(home, loaded.connector, std::move(body)));
    TARN_ASSIGN(request.options, scope_options(loaded.connector, options, connection.id));
    scope = request.options;
    return run::prepare_job(home, request);
}

// The scope's repository, with the connection's token.
Result<> sync_git(const run::Platform& platform, const run::LoadedConnector& loaded, const run::Home& home,
                  const Json& scope_options, const SyncOptions& options, const CancelToken& cancel,
                  ProgressLine& line) {
    const auto& connector = loaded.connector;
    run::Connections connections(connector, home.control(), home.cipher());
    TARN_ASSIGN(auto connection, connections.find(scope_options["connectionId"].get<std::int64_t>()));
    run::Scopes scopes(connector, home.control(), home.environment());
    TARN_ASSIGN(auto scope, scopes.find(scope_options));
    if (!connection || !scope) return fail(ErrorKind::bug, "the scope that was collected is not there");
    TARN_ASSIGN(auto config, run::scope_config_of(connector, home.control(), *scope));
    TARN_ASSIGN(auto task, run::git_task_of(platform, connector, *connection, *scope, config));
    if (!task) return fail(ErrorKind::bad_data, "the scope has no address of a repository", "--git");
    run::JobRequest request;
    request.connector = run::git_plugin(platform);
    request.options = (*task)["options"];
    request.full_sync = options.full;
    request.cancel = cancel;
    TARN_ASSIGN(auto job, run::prepare_job(home, request));
    auto summary = run::run_task(job.spec, *job.client, home.data(), home.control(),
                                 [&](const run::Progress& progress) { line.show(progress); });
    line.end();
    if (!summary) return fail(summary.error());
    print_summary(*summary);
    return {};
}

// Workers on the same database leave the scope alone as long as this process lives.
Result<> take_scope(const run::Home& home, const run::Job& job) {
    run::Leases leases(home);
    bool taken = false;
    TARN_TRY(leases.alone([&]() -> Result<> {
        TARN_ASSIGN(taken, leases.take(run::lease_of_scope(run::scope_of(job))));
        return {};
    }));
    if (taken) return {};
    return fail(ErrorKind::terminal, "another process works on the scope", job.spec.values.params,
                "Wait for its end.");
}

Result<> sync(const run::Platform& platform, const run::LoadedConnector& loaded, secrets::Settings settings,
              const SyncOptions& options) {
    CancelToken cancel;
    StopSignals signals([cancel] { cancel.cancel(); });
    TARN_TRY(upgrade::require_upgraded(home_folder(options.home), platform, settings));
    TARN_ASSIGN(auto home, run::Home::open(home_folder(options.home), platform, std::move(settings)));
    Json scope;
    TARN_ASSIGN(auto job, prepare(*home, loaded, options, cancel, scope));
    TARN_TRY(take_scope(*home, job));
    TARN_TRY(home->data().catch_up());
    ProgressLine line;
    auto summary = run::run_task(job.spec, *job.client, home->data(), home->control(),
                                 [&](const run::Progress& progress) { line.show(progress); });
    line.end();
    if (!summary) return fail(summary.error());
    print_summary(*summary);
    if (options.git) TARN_TRY(sync_git(platform, loaded, *home, scope, options, cancel, line));
    return measure(*home, platform, job, options, cancel);
}

// ---- command line

int usage(const run::Platform& platform, const std::string& wanted) {
    if (!wanted.empty() && wanted != "--help" && wanted != "-h")
        std::cerr << "there is no connector '" << wanted << "'\n";
    std::vector<std::string> names;
    for (const auto& loaded : platform.connectors()) {
        if (!loaded->connector.is_metric()) names.push_back(loaded->connector.name);
    }
    bool help = wanted == "--help" || wanted == "-h";
    (help ? std::cout : std::cerr) << "Usage: tarn sync <connector> [options]\nConnectors: "
                                   << (names.empty() ? "none" : join(names, ", "))
                                   << "\n`tarn sync <connector> --help` lists the options.\n";
    return help ? exit_done : exit_usage;
}

int parse_and_sync(const run::Platform& platform, const run::LoadedConnector& loaded,
                   const secrets::Settings& settings, const std::vector<std::string>& arguments) {
    const auto& connector = loaded.connector;
    SyncOptions options;
    CLI::App app("Collect one scope of " + connector.title + " and transform it",
                 "tarn sync " + connector.name);
    add_own_flags(app, options);
    add_scope_flags(app, connector, options);
    add_connection_flags(app, connector, options);
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(),
                                           arguments.rend()));  // CLI11 wants the last one first
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? exit_done : exit_usage;
    }
    bool named = std::ranges::any_of(options.scope, [](const auto& entry) { return !entry.second.empty(); });
    if (!named) {
        std::cerr << "--" << scope_word(connector) << " is needed: which scope? `tarn sync " << connector.name
                  << " --help` lists the options.\n";
        return exit_usage;
    }
    auto done = sync(platform, loaded, settings, options);
    if (done) return exit_done;
    auto code = tell(with_variables(done.error(), options));
    return done.error().place.starts_with("--") ? exit_usage : code;
}

int start(const std::vector<std::string>& arguments) {
    // The home's folder stands behind flags that are not known yet; only its .env is wanted here.
    std::string given;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] == "--home" && i + 1 < arguments.size()) given = arguments[i + 1];
        if (arguments[i].starts_with("--home=")) given = arguments[i].substr(std::string("--home=").size());
    }
    auto settings = secrets::Settings::read(home_folder(given));
    if (!settings) return tell(settings.error());
    auto platform = load_platform(*settings);
    if (!platform) return tell(platform.error());
    std::string wanted = arguments.empty() ? "" : arguments.front();
    const auto* loaded = (*platform)->connector(wanted);
    if (loaded == nullptr) {
        for (const auto& problem : (*platform)->problems())
            log()->warn("connector left out: {}", problem.text());
        return usage(**platform, wanted);
    }
    return parse_and_sync(**platform, *loaded, *settings, {arguments.begin() + 1, arguments.end()});
}

}  // namespace

void add_sync(CLI::App& app, int& exit_code) {
    auto* command =
        app.add_subcommand("sync", "Collect one scope and transform it: tarn sync <connector> --help");
    // The rest of the line is read when the connector is known.
    command->set_help_flag();
    command->prefix_command();
    command->callback([command, &exit_code] { exit_code = start(command->remaining()); });
}

}  // namespace tarn::cli
