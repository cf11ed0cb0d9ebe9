// What a path below /plugins/{plugin} names: a connector, its connection, a scope.
// Thread rule: any thread.
#pragma once

#include "api/routes.h"
#include "run/connection.h"
#include "run/scopes.h"

namespace tarn::api {

struct Place {
    const run::LoadedConnector* loaded = nullptr;
    run::Connection connection;

    [[nodiscard]] const connector::Connector& connector() const { return loaded->connector; }
};

// Refusals: 404 where there is no such connector or connection.
Reply<const run::LoadedConnector*> connector_of(const Services& services, const Call& call);
Reply<Place> place_of(const Services& services, const Call& call);
// The scope {scopeId}
Reply<run::ScopeRow> scope_of(const Services& services, const Call& call, const Place& place);

run::Connections connections_of(const Services& services, const connector::Connector& connector);
run::Scopes scopes_of(const Services& services, const connector::Connector& connector);

// `page` and `pageSize` of a list; bad_data where they are out of bounds.
struct Paging {
    std::int64_t page = 1, size = 50;
};
Result<Paging> paging_of(const Call& call, std::int64_t usual_size, std::int64_t most = 1000);
// As the framework's lists take them: too small is the usual one.
Result<Paging> lenient_paging_of(const Call& call);

// Runs `work` while no pipeline runs; 409 where one does.
Reply<bool> while_idle(const Services& services, const std::function<Result<>()>& work);

}  // namespace tarn::api
