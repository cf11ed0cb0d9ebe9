#include "run/job.h"

#include "run/connection.h"
#include "run/git_task.h"
#include "run/scopes.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

std::int64_t number_of(const Json& object, const std::string& name) {
    auto found = object.find(name);
    if (found == object.end()) return 0;
    if (found->is_number_integer()) return found->get<std::int64_t>();
    return found->is_string() ? std::strtoll(found->get_ref<const std::string&>().c_str(), nullptr, 10) : 0;
}

Result<Connection> connection_of(const Home& home, const connector::Connector& connector,
                                 const Json& options) {
    Connections connections(connector, home.control(), home.cipher());
    auto id = number_of(options, "connectionId");
    TARN_ASSIGN(auto found, connections.find(id));
    if (found) return *found;
    return fail(ErrorKind::bad_data, "there is no " + connector.name + " connection " + std::to_string(id),
                "connectionId");
}

Result<ScopeRow> scope_of(const Home& home, const JobRequest& request, const Connection& connection,
                          http::Client& client) {
    Scopes scopes(request.connector->connector, home.control(), home.environment());
    TARN_ASSIGN(auto found, scopes.find(request.options));
    if (found) return *found;
    if (!scopes.can_fetch()) {
        return fail(ErrorKind::bad_data, "there is no scope for the options " + request.options.dump(),
                    request.connector->connector.name, "Add it to the connection's scopes.");
    }
    TARN_ASSIGN(auto row, scopes.fetch(connection, request.options, client));
    return scopes.save(std::move(row), connection);
}

Result<Json> config_of(const Home& home, const JobRequest& request, const ScopeRow& scope) {
    auto given = request.options.find("scopeConfig");
    if (given != request.options.end() && given->is_object()) return *given;
    Scopes scopes(request.connector->connector, home.control(), home.environment());
    auto id = number_of(request.options, "scopeConfigId");
    return scopes.config(id != 0 ? id : number_of(scope, "scope_config_id"));
}

void take_request(const JobRequest& request, TaskSpec& spec) {
    spec.connector = request.connector;
    spec.subtasks = request.subtasks;
    spec.full_sync = request.full_sync;
    spec.skip_collectors = request.skip_collectors;
    spec.time_after = request.time_after;
    spec.cancel = request.cancel;
    spec.answers = request.answers;
}

// A metric has neither connection nor scope, and asks nobody.
Result<Job> metric_job(const Home& home, const JobRequest& request) {
    Job job;
    take_request(request, job.spec);
    TARN_ASSIGN(job.client, http::open_client({.cancel = request.cancel}));
    TARN_ASSIGN(job.spec.values, connector::task_values(request.connector->connector, request.options, Json(),
                                                        "", home.environment()));
    return job;
}

}  // namespace

std::string scope_of(const Job& job) { return job.spec.connector->connector.name + job.spec.values.params; }

Result<Job> prepare_job(const Home& home, const JobRequest& request) {
    const auto& connector = request.connector->connector;
    if (!request.options.is_object()) return fail(ErrorKind::bad_data, "must be a JSON object", "options");
    if (connector.native == "git") return git_job(home, request);
    if (connector.is_metric()) return metric_job(home, request);
    Job job;
    TARN_ASSIGN(auto connection, connection_of(home, connector, request.options));
    auto budget = request.budgets == nullptr ? nullptr : request.budgets->of(connector, connection);
    TARN_ASSIGN(job.client, open_connection(connector, connection, home.environment(), request.cancel,
                                            std::move(budget)));
    TARN_ASSIGN(auto scope, scope_of(home, request, connection, *job.client));
    TARN_ASSIGN(auto config, config_of(home, request, scope));
    // What the task says goes before what is stored, except the key.
    Scopes scopes(connector, home.control(), home.environment());
    Json options = scopes.options_of(scope);
    for (const auto& [name, value] : request.options.items()) {
        if (!options.contains(name) || name == "connectionId") continue;
        if (value.is_number() || (value.is_string() && !value.get_ref<const std::string&>().empty()))
            options[name] = value;
    }
    take_request(request, job.spec);
    job.spec.endpoint = connection.text("endpoint");
    TARN_ASSIGN(job.spec.values,
                connector::task_values(connector, options, config, job.spec.endpoint, home.environment()));
    return job;
}

}  // namespace tarn::run
