#include "api/webhook_call.h"

#include "run/fields.h"

namespace tarn::api {

Reply<std::int64_t> webhook_id(const Call& call) {
    auto id = call.id("connectionId");
    if (!id) return refuse(400, "invalid connectionId: it must be a number above zero");
    return *id;
}

Reply<Webhook> webhook_by_id(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, webhook_id(call));
    TARN_ASSIGN(auto found, Webhooks(*services.home).find(id));
    if (!found) return refuse(404, "there is no webhook " + std::to_string(id));
    return *found;
}

Reply<Webhook> webhook_by_name(const Services& services, const Call& call) {
    const auto& name = call.path.at("connectionName");
    TARN_TRY(run::check_text({.name = "name", .length = 100}, "connectionName", name));
    TARN_ASSIGN(auto found, Webhooks(*services.home).find_by_name(name));
    if (!found) return refuse(404, "there is no webhook named '" + name + "'");
    return *found;
}

Reply<Webhook> webhook_by_project(const Services& services, const Call& call) {
    return Webhooks(*services.home).of_project(call.path.at("projectName"));
}

}  // namespace tarn::api
