// Who is calling. There is no login yet: everybody is anonymous, as in DevLake without AUTH_ENABLED.
#include "api/routes.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

Reply<> methods(const Services&, const Call&) { return Answer{.body = {{"apiKey", {{"enabled", true}}}}}; }

Reply<> user_info(const Services&, const Call&) {
    return Answer{.body = {{"authenticated", false}, {"name", ""}, {"email", ""}}};
}

Reply<> logout(const Services&, const Call&) { return Answer{.body = {{"ok", true}}}; }

Reply<> login(const Services&, const Call&) {
    return refuse(503, "no login is configured: the API is open to whoever reaches it");
}

}  // namespace

std::vector<Route> user_routes() {
    return {
        {.method = "GET",
         .pattern = "/auth/methods",
         .tag = "users",
         .summary = "Ways to sign in",
         .handle = methods,
         .answers = {{200, "AuthMethods"}}},
        {.method = "GET",
         .pattern = "/auth/userinfo",
         .tag = "users",
         .summary = "Who is calling",
         .handle = user_info,
         .answers = {{200, "UserInfo"}}},
        {.method = "POST",
         .pattern = "/auth/logout",
         .tag = "users",
         .summary = "Signs out",
         .handle = logout,
         .answers = {{200, "LoggedOut"}}},
        {.method = "GET",
         .pattern = "/auth/login",
         .tag = "users",
         .summary = "Begins to sign in",
         .handle = login,
         .refusals = {503}},
    };
}

}  // namespace tarn::api
