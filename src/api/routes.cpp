#include "api/routes.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>

#include "api/keys.h"
#include "api/target.h"
#include "base/log.h"
#include "run/csv_files.h"
#include "run/extract_fields.h"

namespace tarn::api {
namespace {

using Path = std::vector<std::string_view>;

struct Found {
    const Route* route = nullptr;
    Match match;
};

Found find_route(const std::string& method, const Path& path) {
    Found found;
    for (const auto& route : routes()) {
        if (route.method != method || !matches(segments_of(route.pattern), path, found.match)) continue;
        found.route = &route;
        break;
    }
    return found;
}

// Where the path names no connector, the handler says so.
bool has_route(const Services& services, const Found& found) {
    if (found.route == nullptr) return false;
    auto plugin = found.match.values.find("plugin");
    if (plugin == found.match.values.end()) return true;
    const auto* loaded = services.platform->connector(plugin->second);
    return loaded == nullptr || declares(loaded->connector, found.route->needs);
}

bool drop_front(Path& path, std::string_view name) {
    if (path.empty() || path.front() != name) return false;
    path.erase(path.begin());
    return true;
}

Answer run_route(const Route& route, const Services& services, const Call& call) {
    try {
        auto answer = route.handle(services, call);
        return answer ? *answer : answer.error();
    } catch (const std::exception& error) {
        log()->error("{} {}: {}", route.method, route.pattern, error.what());
        return envelope(500, "internal error; the log has more");
    }
}

// DevLake's page and scripts ask below /api as its own proxy offers it, and below /rest (also /api/rest) with a key.
Path prefixless(const std::string& target, bool& needs_key) {
    auto path = segments_of(target);
    drop_front(path, "api");
    needs_key = drop_front(path, "rest");
    return path;
}

}  // namespace

const std::vector<Route>& routes() {
    static const std::vector<Route> all = [] {
        std::vector<Route> made;
        for (const auto& part :
             {probe_routes(), measurement_routes(), plugin_routes(), webhook_routes(), webhook_post_routes(),
              connection_routes(), scope_routes(), scope_config_routes(), remote_routes(), data_routes(),
              key_routes(), user_routes(), document_routes(), project_routes(), blueprint_routes(),
              pipeline_routes(), query_routes(), number_routes(), field_routes(), file_routes(),
              // The last: a name of a lookup must not hide a route.
              form_routes()}) {
            made.insert(made.end(), part.begin(), part.end());
        }
        return made;
    }();
    return all;
}

bool declares(const connector::Connector& connector, Needs needs) {
    auto has_level = [&](bool search) {
        for (const auto& level : connector.scope.remote) {
            if ((level.when == "search") == search) return true;
        }
        return false;
    };
    switch (needs) {
        case Needs::nothing: return true;
        case Needs::connection: return !connector.connection.table.empty();
        case Needs::scope: return !connector.scope.table.empty();
        case Needs::scope_config: return !connector.scope_config.table.empty();
        case Needs::remote: return has_level(false);
        case Needs::search: return has_level(true);
        case Needs::uploads: return run::csv_files(connector.folder).any_method("POST");
        case Needs::files: return run::csv_files(connector.folder).any_method("PUT");
        case Needs::fields: {
            auto rules = run::field_rules(connector.folder);
            return rules && rules->has_value();
        }
        case Needs::lookups: return !connector.lookups.empty();
        case Needs::groups:
            return std::ranges::any_of(connector.scope_config.fields,
                                       [](const auto& field) { return !field.groups.empty(); });
    }
    return false;
}

namespace {

Answer answer_of(const Found& found, const Path& path, bool needs_key, const Services& services,
                 const std::string& method, const std::string& target, Call call) {
    if (needs_key) {
        auto shown = found.route == nullptr ? shown_path(path) : found.match.shown;
        auto allowed = ApiKeys(*services.home).check(call.headers["authorization"], shown);
        if (!allowed) return allowed.error();
    }
    if (!has_route(services, found))
        return envelope(404, "there is no " + method + " " +
                                 target.substr(0, std::min(target.find('?'), std::size_t{200})));
    call.path = found.match.values;
    call.rest = found.match.rest;
    return run_route(*found.route, services, call);
}

}  // namespace

Answer dispatch(const Services& services, const std::string& method, const std::string& target, Call call) {
    auto began = std::chrono::steady_clock::now();
    bool needs_key = false;
    auto path = prefixless(target, needs_key);
    auto found = find_route(method, path);
    auto answer = answer_of(found, path, needs_key, services, method, target, std::move(call));
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    services.served->add(method, found.route == nullptr ? "" : found.route->pattern, answer.status,
                         took.count());
    return answer;
}

std::size_t most_bytes(const std::string& method, const std::string& target) {
    bool ignored = false;
    auto found = find_route(method, prefixless(target, ignored));
    return found.route == nullptr ? 0 : found.route->most_bytes;
}

}  // namespace tarn::api
