// Connections of all connectors.
#include <algorithm>

#include <fmt/format.h>

#include "api/place.h"
#include "api/references.h"
#include "api/source.h"
#include "base/text.h"
#include "run/try_connection.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;
using run::Connection;
using run::Trial;

Reply<> list_connections(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* loaded, connector_of(services, call));
    auto connections = connections_of(services, loaded->connector);
    TARN_ASSIGN(auto all, connections.list());
    Json out = Json::array();
    for (const auto& connection : all) out.push_back(connections.shown(connection));
    return Answer{.body = out};
}

Reply<> create_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* loaded, connector_of(services, call));
    TARN_ASSIGN(auto body, call.object());
    auto connections = connections_of(services, loaded->connector);
    TARN_ASSIGN(auto connection, connections.create(body));
    return Answer{.status = 201, .body = connections.shown(connection)};
}

Reply<> get_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    return Answer{.body = connections_of(services, place.connector()).shown(place.connection)};
}

Reply<> change_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto body, call.object());
    auto connections = connections_of(services, place.connector());
    TARN_ASSIGN(auto changed, connections.change(place.connection, body));
    return Answer{.body = connections.shown(changed)};
}

Result<> remove_connection(const Services& services, const Place& place) {
    auto& control = services.home->control();
    const auto& connector = place.connector();
    return control.transaction([&]() -> Result<> {
        if (declares(connector, Needs::scope_config)) {
            TARN_TRY(control.run(
                "delete from " + sql_name(connector.scope_config.table) + " where connection_id = ?",
                {place.connection.id}));
        }
        TARN_TRY(control.run("delete from " + sql_name(connector.connection.table) + " where id = ?",
                             {place.connection.id}));
        return {};
    });
}

Reply<> delete_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    const auto& connector = place.connector();
    auto& control = services.home->control();
    TARN_ASSIGN(auto users, connection_users(control, connector, place.connection.id));
    if (!users.is_null()) {
        return refuse(409, "blueprints use this connection: take it out of them first", std::move(users));
    }
    if (declares(connector, Needs::scope)) {
        TARN_ASSIGN(auto scopes, scopes_of(services, connector).page(place.connection.id, "", 1, 1));
        if (scopes.count > 0) {
            return refuse(409,
                          fmt::format("this connection has {} scope(s): delete them first", scopes.count));
        }
    }
    TARN_TRY(while_idle(services, [&] { return remove_connection(services, place); }));
    return Answer{.body = connections_of(services, connector).shown(place.connection)};
}

Reply<std::vector<Trial>> trials_of(const Services& services, const connector::Connector& connector,
                                    const Connection& connection) {
    auto open = [&](const Connection& one) -> Result<std::unique_ptr<http::Client>> {
        TARN_ASSIGN(auto source, Source::open(services, connector, one));
        return source;
    };
    auto trials = run::try_connection(connector, connection, open);
    if (!trials) return source_refusal(trials.error());
    return *trials;
}

// Of several tokens each is named.
std::vector<std::string> messages_of(const std::vector<Trial>& trials, bool failed_only) {
    std::vector<std::string> out;
    for (const auto& trial : trials) {
        if (trial.message.empty() || (failed_only && trial.success)) continue;
        out.push_back((trials.size() > 1 ? "token " + trial.token + ": " : "") + trial.message);
    }
    return out;
}

Answer tested(const std::vector<Trial>& trials) {
    auto messages = messages_of(trials, false);
    auto answer = envelope(200, messages.empty() ? "success" : join(messages, "; "));
    answer.body["success"] = std::ranges::all_of(trials, &Trial::success);
    answer.body["warning"] = std::ranges::any_of(trials, &Trial::warning);
    answer.body["login"] = trials.front().login;
    answer.body["installations"] = trials.front().installations;
    return answer;
}

Reply<> tested_well(const std::vector<Trial>& trials) {
    // That the source says 401 does not mean that the caller must sign in here.
    if (std::ranges::any_of(trials, &Trial::refused))
        return refuse(400, join(messages_of(trials, true), "; "));
    return tested(trials);
}

Answer tested_each(const std::vector<Trial>& trials) {
    auto answer = tested(trials);
    Json tokens = Json::array();
    for (const auto& trial : trials)
        tokens.push_back({{"token", trial.token},
                          {"login", trial.login},
                          {"success", trial.success},
                          {"warning", trial.warning},
                          {"message", trial.message.empty() ? "success" : trial.message},
                          {"installations", trial.installations}});
    answer.body["tokens"] = std::move(tokens);
    if (auto failed = messages_of(trials, true); !failed.empty()) answer.body["causes"] = failed;
    return answer;
}

Reply<> test_new_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* loaded, connector_of(services, call));
    TARN_ASSIGN(auto body, call.object());
    // A form may test before it has a name.
    if (!body.contains("name")) body["name"] = "test";
    TARN_ASSIGN(auto connection, connections_of(services, loaded->connector).check(body));
    TARN_ASSIGN(auto trials, trials_of(services, loaded->connector, connection));
    return tested_well(trials);
}

Reply<> test_stored_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto body, call.object());
    const auto& connector = place.connector();
    TARN_ASSIGN(auto changed, connections_of(services, connector).overlaid(place.connection, body));
    TARN_ASSIGN(auto trials, trials_of(services, connector, changed));
    if (connector.connection.test.each) return tested_each(trials);
    return tested_well(trials);
}

}  // namespace

std::vector<Route> connection_routes() {
    const std::string plugin = "/plugins/{plugin}", one = plugin + "/connections/{connectionId}";
    const std::string tag = "connections";
    return {
        {.method = "GET",
         .pattern = plugin + "/connections",
         .tag = tag,
         .summary = "Connections, secrets masked",
         .handle = list_connections,
         .needs = Needs::connection,
         .answers = {{200, "Connection[]"}}},
        {.method = "POST",
         .pattern = plugin + "/connections",
         .tag = tag,
         .summary = "Adds a connection",
         .handle = create_connection,
         .needs = Needs::connection,
         .body = "ConnectionBody",
         .answers = {{201, "Connection"}}},
        {.method = "GET",
         .pattern = one,
         .tag = tag,
         .summary = "One connection, secrets masked",
         .handle = get_connection,
         .needs = Needs::connection,
         .answers = {{200, "Connection"}},
         .refusals = {404}},
        {.method = "PATCH",
         .pattern = one,
         .tag = tag,
         .summary = "Changes a connection; an empty or masked secret stays as it is",
         .handle = change_connection,
         .needs = Needs::connection,
         .body = "ConnectionPatch",
         .answers = {{200, "Connection"}},
         .refusals = {404}},
        {.method = "DELETE",
         .pattern = one,
         .tag = tag,
         .summary = "Deletes a connection and its scope configs; not while blueprints or scopes use it",
         .handle = delete_connection,
         .needs = Needs::connection,
         .answers = {{200, "Connection"}},
         .refusals = {404, 409}},
        {.method = "POST",
         .pattern = plugin + "/test",
         .tag = tag,
         .summary =
             "Tests a connection that is not saved, each of its tokens; what the source refuses is a 400",
         .handle = test_new_connection,
         .needs = Needs::connection,
         .body = "ConnectionPatch",
         .answers = {{200, "Tested"}}},
        {.method = "POST",
         .pattern = one + "/test",
         .tag = tag,
         .summary = "Tests a saved connection, with the body's fields over the saved ones; where a connector "
                    "declares it, "
                    "`tokens` tells of each token, also of those that are refused",
         .handle = test_stored_connection,
         .needs = Needs::connection,
         .body = "ConnectionPatch",
         .answers = {{200, "Tested"}},
         .refusals = {404}},
    };
}

}  // namespace tarn::api
