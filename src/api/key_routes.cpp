// API keys.
#include "api/keys.h"
#include "api/place.h"
#include "base/text.h"
#include "base/time.h"
#include "run/fields.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

// A member without regard to its case, as Go reads it.
const Json& member(const Json& object, const std::string& name) {
    static const Json none;
    for (const auto& [key, value] : object.items()) {
        if (lower(key) == lower(name)) return value;
    }
    return none;
}

Result<std::string> required_text(const Json& body, const std::string& name, int length) {
    const auto& value = member(body, name);
    if (!value.is_string() || value.get_ref<const std::string&>().empty())
        return run::wrong(name, "must be a text that is not empty");
    TARN_TRY(run::check_text({.name = name, .length = length}, name, value.get<std::string>()));
    return value.get<std::string>();
}

Result<ApiKeys::New> key_of(const Json& body) {
    ApiKeys::New key;
    TARN_ASSIGN(key.name, required_text(body, "name", 255));
    TARN_ASSIGN(key.type, required_text(body, "type", 40));
    TARN_ASSIGN(key.allowed_path, required_text(body, "allowedPath", 255));
    const auto& expires = member(body, "expiredAt");
    if (expires.is_null()) return key;
    Millis time = 0;
    if (!expires.is_string() || parse_time(expires.get<std::string>(), time) != Parsed::ok)
        return run::wrong("expiredAt", "must be a time such as 2026-11-23T13:55:38Z, or null");
    key.expired_at = format_sql(time);
    return key;
}

Reply<> list_keys(const Services& services, const Call& call) {
    TARN_ASSIGN(auto paging, lenient_paging_of(call));
    TARN_ASSIGN(auto keys, ApiKeys(*services.home).list(paging.page, paging.size));
    return Answer{.body = keys};
}

Reply<> create_key(const Services& services, const Call& call) {
    TARN_ASSIGN(auto body, call.object());
    TARN_ASSIGN(auto key, key_of(body));
    TARN_ASSIGN(auto made, ApiKeys(*services.home).create(key));
    return Answer{.status = 201, .body = made};
}

Refusal no_key(std::int64_t id) { return refuse(404, "there is no API key " + std::to_string(id)); }

Reply<> renew_key(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("apiKeyId"));
    TARN_ASSIGN(auto renewed, ApiKeys(*services.home).renew(id));
    if (!renewed) return no_key(id);
    return Answer{.body = *renewed};
}

Reply<> delete_key(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("apiKeyId"));
    TARN_ASSIGN(auto removed, ApiKeys(*services.home).remove(id));
    if (!removed) return no_key(id);
    return envelope(200, "success");
}

}  // namespace

std::vector<Route> key_routes() {
    const std::string tag = "API keys";
    return {
        {.method = "GET",
         .pattern = "/api-keys",
         .tag = tag,
         .summary = "API keys, newest first, without the keys themselves",
         .handle = list_keys,
         .query = {{"page", "integer", "From 1 on"}, {"pageSize", "integer", "Usually 50"}},
         .answers = {{200, "ApiKeys"}}},
        {.method = "POST",
         .pattern = "/api-keys",
         .tag = tag,
         .summary = "Makes an API key; only this answer shows it",
         .handle = create_key,
         .body = "ApiKeyBody",
         .answers = {{201, "ApiKey"}}},
        {.method = "PUT",
         .pattern = "/api-keys/{apiKeyId}",
         .tag = tag,
         .summary = "Puts a fresh key in place of the old one; only this answer shows it",
         .handle = renew_key,
         .answers = {{200, "ApiKey"}},
         .refusals = {404}},
        {.method = "DELETE",
         .pattern = "/api-keys/{apiKeyId}",
         .tag = tag,
         .summary = "Deletes an API key",
         .handle = delete_key,
         .answers = {{200, "Envelope"}},
         .refusals = {404}},
    };
}

}  // namespace tarn::api
