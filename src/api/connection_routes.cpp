// Connections of all connectors.
#include <fmt/format.h>

#include "api/place.h"
#include "api/references.h"
#include "api/source.h"
#include "base/text.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;
using run::Connection;

Reply<> list_connections(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* loaded, connector_of(services, call, Needs::connection));
    auto connections = connections_of(services, loaded->connector);
    TARN_ASSIGN(auto all, connections.list());
    Json out = Json::array();
    for (const auto& connection : all) out.push_back(connections.shown(connection));
    return Answer{.body = out};
}

Reply<> create_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* loaded, connector_of(services, call, Needs::connection));
    TARN_ASSIGN(auto body, call.object());
    auto connections = connections_of(services, loaded->connector);
    TARN_ASSIGN(auto connection, connections.create(body));
    return Answer{.status = 201, .body = connections.shown(connection)};
}

Reply<> get_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call, Needs::connection));
    return Answer{.body = connections_of(services, place.connector()).shown(place.connection)};
}

Reply<> change_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call, Needs::connection));
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
    TARN_ASSIGN(auto place, place_of(services, call, Needs::connection));
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

Reply<> try_connection(const Services& services, const connector::Connector& connector,
                       const Connection& connection) {
    auto source = Source::open(services, connector, connection);
    if (!source) return source_refusal(source.error());
    auto tested = run::test_connection(connector, connection, **source);
    // That the source says 401 does not mean that the caller must sign in here.
    if (!tested) return refuse(400, tested.error().text());
    auto answer = envelope(200, "success");
    answer.body["login"] = tested->who;
    return answer;
}

Reply<> test_new_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* loaded, connector_of(services, call, Needs::connection));
    TARN_ASSIGN(auto body, call.object());
    // A form may test before it has a name.
    if (!body.contains("name")) body["name"] = "test";
    TARN_ASSIGN(auto connection, connections_of(services, loaded->connector).check(body));
    return try_connection(services, loaded->connector, connection);
}

Reply<> test_stored_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call, Needs::connection));
    TARN_ASSIGN(auto body, call.object());
    TARN_ASSIGN(auto changed, connections_of(services, place.connector()).overlaid(place.connection, body));
    return try_connection(services, place.connector(), changed);
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
         .summary = "Tests a connection that is not saved",
         .handle = test_new_connection,
         .needs = Needs::connection,
         .body = "ConnectionPatch",
         .answers = {{200, "Tested"}}},
        {.method = "POST",
         .pattern = one + "/test",
         .tag = tag,
         .summary = "Tests a saved connection, with the body's fields over the saved ones",
         .handle = test_stored_connection,
         .needs = Needs::connection,
         .body = "ConnectionPatch",
         .answers = {{200, "Tested"}},
         .refusals = {404}},
    };
}

}  // namespace tarn::api
