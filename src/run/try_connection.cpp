#include "run/try_connection.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "http/auth.h"
#include "http/url.h"
#include "run/fields.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;
using connector::AuthMethod;
using connector::Connector;
using connector::Rights;

std::string advice(int status) {
    switch (status) {
        case 401: return "Check the token or password.";
        case 403: return "Check the rights of the token.";
        case 404: return "Check the endpoint.";
        default: return "Check the endpoint and try again later.";
    }
}

Result<http::Response> fetched(http::Client& client, http::Request request) {
    auto place = http::shown_url(request.url);
    TARN_ASSIGN(auto response, client.fetch(std::move(request)));
    if (response.status >= 400) {
        return fail(ErrorKind::terminal, fmt::format("the source answers with status {}", response.status),
                    place, advice(response.status));
    }
    return response;
}

std::string text_at(const Json& object, const std::string& name) {
    auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string who_of(const std::string& body) {
    auto answer = Json::parse(body, nullptr, false);
    for (const auto* name : {"login", "username", "displayName", "name", "email", "emailAddress"}) {
        if (auto who = text_at(answer, name); !who.empty()) return who;
    }
    return {};
}

// ---- rights

bool grants(const Rights& rights, const std::vector<std::string>& given, std::string right) {
    for (std::size_t step = 0; step <= rights.within.size(); ++step) {
        if (contains(given, right)) return true;
        auto wider = std::ranges::find(rights.within, right, &std::pair<std::string, std::string>::first);
        if (wider == rights.within.end()) return false;
        right = wider->second;
    }
    return false;
}

std::string missing(const Rights& rights, const std::vector<std::string>& given,
                    const std::vector<std::string>& wanted) {
    std::vector<std::string> out;
    for (const auto& right : wanted) {
        if (!grants(rights, given, right)) out.push_back(right);
    }
    return join(out, ", ");
}

// A source that does not send the header says nothing of rights.
void judge_rights(const Rights& rights, const std::string& token, const http::Response& response,
                  Trial& trial) {
    auto told = response.headers.find(lower(rights.header));
    if (rights.header.empty() || !token.starts_with(rights.tokens) || told == response.headers.end()) return;
    auto given = split(told->second, ',');
    auto needed = missing(rights, given, rights.needed), wished = missing(rights, given, rights.wished);
    std::vector<std::string> messages;
    if (!needed.empty()) messages.push_back("The token lacks the rights " + needed + ": add them.");
    if (!wished.empty())
        messages.push_back("The token lacks the right " + wished +
                           (rights.hint.empty() ? "." : ": " + rights.hint));
    trial.success = needed.empty();
    trial.warning = !wished.empty();
    trial.message = join(messages, " ");
}

// ---- one trial

Result<Trial> try_one(const Connector& connector, const Connection& connection, const std::string& token,
                      http::Client& client) {
    const auto& test = connector.connection.test;
    http::Request request;
    request.url = http::join_url(connection.text("endpoint"), test.path);
    TARN_ASSIGN(auto response, fetched(client, std::move(request)));
    Trial trial{.login = who_of(response.body), .success = true};
    judge_rights(test.rights, token, response, trial);
    return trial;
}

Result<Json> asked_as_app(const std::string& jwt, const std::string& url, const std::string& method,
                          http::Client& client) {
    http::Request request{.method = method, .url = url, .headers = {{"Authorization", "Bearer " + jwt}}};
    TARN_ASSIGN(auto response, fetched(client, std::move(request)));
    return Json::parse(response.body, nullptr, false);
}

Json shown_installations(const Json& answer) {
    Json out = Json::array();
    if (!answer.is_array()) return out;
    for (const auto& item : answer) {
        if (!item.is_object() || !item.contains("id") || !item["id"].is_number_integer()) continue;
        auto account = item.value("account", Json());
        out.push_back({{"id", item["id"]}, {"account", {{"login", text_at(account, "login")}}}});
    }
    return out;
}

// Whether the connection says for what the key is to be exchanged.
bool can_exchange(const Connector& connector, const AuthMethod& auth, const Connection& connection) {
    auto path = auth_setting(auth, "path");
    return std::ranges::none_of(connector.connection.fields, [&](const auto& field) {
        auto value = connection.text(field.name);
        return path.find("{" + field.name + "}") != std::string::npos && (value.empty() || value == "0");
    });
}

Result<Trial> try_app(const Connector& connector, const AuthMethod& auth, const Connection& connection,
                      http::Client& client) {
    constexpr Millis lifetime = 540'000;
    const auto& app = connector.connection.test.app;
    auto endpoint = connection.text("endpoint");
    TARN_ASSIGN(auto jwt, http::sign_jwt(connection.text(auth_setting(auth, "issuer")),
                                         connection.text(auth_setting(auth, "key")), now_millis(), lifetime));
    TARN_ASSIGN(auto named, asked_as_app(jwt, http::join_url(endpoint, app.path), "GET", client));
    TARN_ASSIGN(auto list, asked_as_app(jwt, http::join_url(endpoint, app.installations), "GET", client));
    if (can_exchange(connector, auth, connection))
        TARN_TRY(asked_as_app(jwt, exchange_url(auth, connection), "POST", client));
    return Trial{
        .login = text_at(named, app.login), .success = true, .installations = shown_installations(list)};
}

// The connection once for each of its tokens
std::vector<std::pair<std::string, Connection>> single_tokens(const AuthMethod* auth,
                                                              const Connection& connection) {
    std::vector<std::pair<std::string, Connection>> out;
    bool in_turn = auth != nullptr && contains({"bearer", "header", "query"}, auth->kind);
    auto field = in_turn ? auth_setting(*auth, "token") : std::string();
    for (const auto& token : split(in_turn ? connection.text(field) : "", ',')) {
        out.emplace_back(token, connection);
        out.back().second.fields[field] = token;
    }
    if (out.empty()) out.emplace_back("", connection);
    return out;
}

}  // namespace

Result<std::vector<Trial>> try_connection(const Connector& connector, const Connection& connection,
                                          const OpenClient& open) {
    const auto* auth = auth_of(connector, connection);
    bool app = auth != nullptr && auth->kind == "app" && !connector.connection.test.app.path.empty();
    std::vector<Trial> out;
    for (const auto& [token, one] : single_tokens(auth, connection)) {
        TARN_ASSIGN(auto client, open(one));
        auto tried = app ? try_app(connector, *auth, one, *client) : try_one(connector, one, token, *client);
        Trial trial = tried ? std::move(*tried) : Trial{.message = tried.error().text(), .refused = true};
        trial.token = masked(token);
        out.push_back(std::move(trial));
    }
    return out;
}

}  // namespace tarn::run
