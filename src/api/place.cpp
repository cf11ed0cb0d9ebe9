#include "api/place.h"

#include <algorithm>

#include <fmt/format.h>

namespace tarn::api {

Reply<const run::LoadedConnector*> connector_of(const Services& services, const Call& call) {
    const auto& name = call.path.at("plugin");
    const auto* loaded = services.platform->connector(name);
    if (loaded == nullptr)
        return refuse(404, "there is no plugin '" + name.substr(0, 100) + "'; GET /plugins lists them");
    return loaded;
}

Reply<Place> place_of(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* loaded, connector_of(services, call));
    TARN_ASSIGN(auto id, call.id("connectionId"));
    TARN_ASSIGN(auto connection, connections_of(services, loaded->connector).find(id));
    if (!connection)
        return refuse(404, fmt::format("there is no {} connection {}", loaded->connector.name, id));
    return Place{loaded, std::move(*connection)};
}

Reply<run::ScopeRow> scope_of(const Services& services, const Call& call, const Place& place) {
    const auto& id = call.path.at("scopeId");
    TARN_ASSIGN(auto scope, scopes_of(services, place.connector()).by_id(place.connection.id, id));
    if (scope) return *scope;
    return refuse(404, fmt::format("the {} connection {} has no scope '{}'", place.connector().name,
                                   place.connection.id, id.substr(0, 100)));
}

run::Connections connections_of(const Services& services, const connector::Connector& connector) {
    return {connector, services.home->control(), services.home->cipher()};
}

run::Scopes scopes_of(const Services& services, const connector::Connector& connector) {
    return {connector, services.home->control(), services.home->environment()};
}

Result<Paging> paging_of(const Call& call, std::int64_t usual_size, std::int64_t most) {
    Paging paging;
    TARN_ASSIGN(paging.page, call.query_number("page", 1));
    TARN_ASSIGN(paging.size, call.query_number("pageSize", usual_size));
    bool fits = paging.page >= 1 && paging.page <= 1'000'000'000 && paging.size >= 1 && paging.size <= most;
    if (fits) return paging;
    return fail(ErrorKind::bad_data, fmt::format("page must be 1 to 1000000000, pageSize 1 to {}", most));
}

Result<Paging> lenient_paging_of(const Call& call) {
    Paging paging;
    TARN_ASSIGN(paging.page, call.query_number("page", 1));
    TARN_ASSIGN(paging.size, call.query_number("pageSize", 50));
    paging.page = std::clamp<std::int64_t>(paging.page, 1, 1'000'000'000);
    paging.size = paging.size < 1 ? 50 : std::min<std::int64_t>(paging.size, 10'000);
    return paging;
}

Reply<bool> while_idle(const Services& services, const std::function<Result<>()>& work) {
    TARN_ASSIGN(auto idle, services.pipelines->while_idle(work));
    if (idle) return true;
    return refuse(409, "a pipeline is running: wait for its end or cancel it, then try again");
}

}  // namespace tarn::api
