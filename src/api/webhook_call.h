// Which webhook a path names. Refusals: 400 where it cannot be one, 404 where there is none.
// Thread rule: any thread.
#pragma once

#include "api/routes.h"
#include "api/webhooks.h"

namespace tarn::api {

using WebhookFinder = Reply<Webhook> (*)(const Services&, const Call&);

Reply<std::int64_t> webhook_id(const Call& call);
Reply<Webhook> webhook_by_id(const Services& services, const Call& call);
Reply<Webhook> webhook_by_name(const Services& services, const Call& call);
Reply<Webhook> webhook_by_project(const Services& services, const Call& call);

}  // namespace tarn::api
