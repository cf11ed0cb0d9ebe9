// Webhooks themselves; what they post: webhook_post_routes.cpp.
#include <fmt/format.h>

#include "api/routes.h"
#include "api/webhook_call.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

Reply<> list(const Services& services, const Call&) {
    Webhooks webhooks(*services.home);
    TARN_ASSIGN(auto all, webhooks.list());
    Json out = Json::array();
    for (const auto& webhook : all) {
        TARN_ASSIGN(auto shown, webhooks.shown(webhook));
        out.push_back(std::move(shown));
    }
    return Answer{.body = out};
}

Reply<> create(const Services& services, const Call& call) {
    TARN_ASSIGN(auto body, call.object());
    TARN_ASSIGN(auto made, Webhooks(*services.home).create(body));
    return Answer{.body = made};
}

template <WebhookFinder find>
Reply<> get(const Services& services, const Call& call) {
    TARN_ASSIGN(auto webhook, find(services, call));
    TARN_ASSIGN(auto shown, Webhooks(*services.home).shown(webhook));
    return Answer{.body = shown};
}

template <WebhookFinder find>
Reply<> change(const Services& services, const Call& call) {
    TARN_ASSIGN(auto webhook, find(services, call));
    TARN_ASSIGN(auto body, call.object());
    TARN_ASSIGN(auto changed, Webhooks(*services.home).change(webhook, body));
    return Answer{.body = Webhooks::base_json(changed)};
}

// An id that is not there is no error: it was to be gone.
Reply<> remove_by_id(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, webhook_id(call));
    TARN_TRY(Webhooks(*services.home).remove(id));
    return envelope(200, "success");
}

Reply<> remove_by_name(const Services& services, const Call& call) {
    TARN_ASSIGN(auto webhook, webhook_by_name(services, call));
    TARN_TRY(Webhooks(*services.home).remove(webhook.id));
    return envelope(200, "success");
}

}  // namespace

std::vector<Route> webhook_routes() {
    const std::string all = "/plugins/webhook/connections", tag = "webhooks";
    const std::string by_id = all + "/{connectionId}", by_name = all + "/by-name/{connectionName}";
    return {
        {.method = "GET",
         .pattern = all,
         .tag = tag,
         .summary = "Webhooks",
         .handle = list,
         .answers = {{200, "Webhook[]"}}},
        {.method = "POST",
         .pattern = all,
         .tag = tag,
         .summary = "Adds a webhook; only this answer shows its API key",
         .handle = create,
         .body = "WebhookBody",
         .answers = {{200, "Webhook"}}},
        {.method = "GET",
         .pattern = by_id,
         .tag = tag,
         .summary = "One webhook",
         .handle = get<webhook_by_id>,
         .answers = {{200, "Webhook"}},
         .refusals = {404}},
        {.method = "PATCH",
         .pattern = by_id,
         .tag = tag,
         .summary = "Renames a webhook",
         .handle = change<webhook_by_id>,
         .body = "WebhookBody",
         .answers = {{200, "WebhookBase"}},
         .refusals = {404}},
        {.method = "DELETE",
         .pattern = by_id,
         .tag = tag,
         .summary = "Deletes a webhook and its API key",
         .handle = remove_by_id,
         .answers = {{200, "Envelope"}}},
        {.method = "GET",
         .pattern = by_name,
         .tag = tag,
         .summary = "One webhook, by its name",
         .handle = get<webhook_by_name>,
         .answers = {{200, "Webhook"}},
         .refusals = {404}},
        {.method = "PATCH",
         .pattern = by_name,
         .tag = tag,
         .summary = "Renames a webhook",
         .handle = change<webhook_by_name>,
         .body = "WebhookBody",
         .answers = {{200, "WebhookBase"}},
         .refusals = {404}},
        {.method = "DELETE",
         .pattern = by_name,
         .tag = tag,
         .summary = "Deletes a webhook and its API key",
         .handle = remove_by_name,
         .answers = {{200, "Envelope"}},
         .refusals = {404}},
    };
}

}  // namespace tarn::api
