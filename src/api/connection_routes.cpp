// Connections and scopes of all connectors.
#include <fmt/format.h>

#include "api/routes.h"
#include "run/connection.h"
#include "run/scopes.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;
using run::Connection;
using run::Connections;
using run::ScopeRow;
using run::Scopes;

// What a handler below /plugins/{plugin}/connections/{connectionId} works with.
struct Place {
    const connector::Connector* connector = nullptr;
    Connection connection;
};

// A place, or the answer that says why there is none.
struct Found {
    Place place;
    std::optional<Answer> refusal;
};

const connector::Connector* connector_of(const Services& services, const Call& call) {
    const auto* loaded = services.platform->connector(call.path.at("plugin"));
    return loaded == nullptr ? nullptr : &loaded->connector;
}

Answer no_plugin(const Call& call) {
    return envelope(404, "there is no plugin '" + call.path.at("plugin") + "'");
}

Connections connections_of(const Services& services, const connector::Connector& connector) {
    return {connector, services.home->control(), services.home->cipher()};
}

Result<Found> place_of(const Services& services, const Call& call) {
    Found found;
    found.place.connector = connector_of(services, call);
    if (found.place.connector == nullptr) {
        found.refusal = no_plugin(call);
        return found;
    }
    TARN_ASSIGN(auto id, call.number("connectionId"));
    TARN_ASSIGN(auto connection, connections_of(services, *found.place.connector).find(id));
    if (!connection) {
        found.refusal =
            envelope(404, fmt::format("there is no {} connection {}", found.place.connector->name, id));
        return found;
    }
    found.place.connection = std::move(*connection);
    return found;
}

// ---- connections

Result<Answer> list_connections(const Services& services, const Call& call) {
    const auto* connector = connector_of(services, call);
    if (connector == nullptr) return no_plugin(call);
    auto connections = connections_of(services, *connector);
    TARN_ASSIGN(auto all, connections.list());
    Json out = Json::array();
    for (const auto& connection : all) out.push_back(connections.shown(connection));
    return Answer{200, out};
}

Result<Answer> create_connection(const Services& services, const Call& call) {
    const auto* connector = connector_of(services, call);
    if (connector == nullptr) return no_plugin(call);
    TARN_ASSIGN(auto body, call.json());
    auto connections = connections_of(services, *connector);
    TARN_ASSIGN(auto connection, connections.create(body));
    return Answer{201, connections.shown(connection)};
}

Result<Answer> get_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(auto found, place_of(services, call));
    if (found.refusal) return *found.refusal;
    return Answer{200, connections_of(services, *found.place.connector).shown(found.place.connection)};
}

Result<Answer> try_connection(const Services& services, const connector::Connector& connector,
                              const Connection& connection) {
    TARN_ASSIGN(auto client, run::open_connection(connector, connection, services.home->environment()));
    auto tested = run::test_connection(connector, connection, *client);
    // What was entered is at fault; that the source says 401 does not mean that the caller must sign in here.
    if (!tested) return envelope(400, tested.error().text());
    auto answer = envelope(200, "success");
    answer.body["who"] = tested->who;
    return answer;
}

Result<Answer> test_new_connection(const Services& services, const Call& call) {
    const auto* connector = connector_of(services, call);
    if (connector == nullptr) return no_plugin(call);
    TARN_ASSIGN(auto body, call.json());
    // A form may test before it has a name.
    if (body.is_object() && !body.contains("name")) body["name"] = "test";
    TARN_ASSIGN(auto connection, connections_of(services, *connector).check(body));
    return try_connection(services, *connector, connection);
}

Result<Answer> test_stored_connection(const Services& services, const Call& call) {
    TARN_ASSIGN(auto found, place_of(services, call));
    if (found.refusal) return *found.refusal;
    return try_connection(services, *found.place.connector, found.place.connection);
}

// ---- scopes

// A form may know no more than the scope's name: the source is asked for the rest. Where the body has all that a task needs, a source that cannot
// be reached does no harm.
Result<ScopeRow> completed(const Services& services, const Place& place, const Scopes& scopes, ScopeRow row) {
    row["connection_id"] = place.connection.id;
    bool whole = scopes.missing_options(row).empty();
    bool all_known = true;
    for (const auto& [column, pointer] : place.connector->scope.fetch_fields)
        all_known = all_known && row.contains(column);
    if (!scopes.can_fetch() || (whole && all_known)) return row;
    auto environment = [&](const std::string& key) {
        return key == "API_RETRY" && whole ? "0" : services.home->environment()(key);
    };
    TARN_ASSIGN(auto client, run::open_connection(*place.connector, place.connection, environment));
    auto fetched = scopes.fetch(place.connection, scopes.options_of(row), *client);
    if (!fetched) return whole ? Result<ScopeRow>(row) : fail(fetched.error());
    for (const auto& [column, value] : row.items()) (*fetched)[column] = value;
    return *fetched;
}

Result<Answer> put_scopes(const Services& services, const Call& call) {
    TARN_ASSIGN(auto found, place_of(services, call));
    if (found.refusal) return *found.refusal;
    TARN_ASSIGN(auto body, call.json());
    if (!body.is_object() || !body.contains("data") || !body["data"].is_array()) {
        return fail(ErrorKind::bad_data, "must be a list of scopes", "data");
    }
    const auto& place = found.place;
    Scopes scopes(*place.connector, services.home->control(), services.home->environment());
    Json out = Json::array();
    for (const auto& item : body["data"]) {
        TARN_ASSIGN(auto row, scopes.from_body(item));
        TARN_ASSIGN(row, completed(services, place, scopes, std::move(row)));
        TARN_ASSIGN(row, scopes.save(std::move(row), place.connection));
        out.push_back(scopes.shown(row));
    }
    return Answer{200, out};
}

Result<Answer> list_scopes(const Services& services, const Call& call) {
    TARN_ASSIGN(auto found, place_of(services, call));
    if (found.refusal) return *found.refusal;
    TARN_ASSIGN(auto page, call.query_number("page", 1));
    TARN_ASSIGN(auto size, call.query_number("pageSize", 100));
    if (page < 1 || size < 1 || size > 1000)
        return fail(ErrorKind::bad_data, "page must be at least 1, pageSize 1 to 1000");
    Scopes scopes(*found.place.connector, services.home->control(), services.home->environment());
    TARN_ASSIGN(auto rows, scopes.list(found.place.connection.id));
    Json out = Json::array();
    auto count = static_cast<std::int64_t>(rows.size());
    for (auto i = (page - 1) * size; i < std::min(count, page * size); ++i) {
        out.push_back({{"scope", scopes.shown(rows[static_cast<std::size_t>(i)])}});
    }
    return Answer{200, {{"count", count}, {"scopes", out}}};
}

}  // namespace

std::vector<Route> connection_routes() {
    const std::string one = "/plugins/{plugin}/connections/{connectionId}";
    return {
        {"GET", "/plugins/{plugin}/connections", list_connections, "Connections, secrets masked"},
        {"POST", "/plugins/{plugin}/connections", create_connection, "Adds a connection"},
        {"POST", "/plugins/{plugin}/test", test_new_connection, "Tests a connection that is not saved"},
        {"GET", one, get_connection, "One connection, secrets masked"},
        {"POST", one + "/test", test_stored_connection, "Tests a saved connection"},
        {"GET", one + "/scopes", list_scopes, "Scopes of a connection"},
        {"PUT", one + "/scopes", put_scopes, "Adds or changes scopes"},
    };
}

}  // namespace tarn::api
