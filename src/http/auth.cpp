#include "http/auth.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include <openssl/evp.h>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/log.h"
#include "base/text.h"
#include "http/url.h"

namespace tarn::http {
namespace {

Failure refused(std::string message, std::string next_step, std::string place = {}) {
    return fail(ErrorKind::terminal, std::move(message), std::move(place), std::move(next_step));
}

// Tokens used in turn; each has a budget of its own.
class TokenAuth : public Authenticator {
  public:
    explicit TokenAuth(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
        for (auto& token : tokens_) token = std::string(trimmed(token));
        std::erase(tokens_, std::string());
    }

    Result<> sign(Request& request) override {
        if (tokens_.empty())
            return refused("the connection has no token", "Enter a token in the connection.");
        if (request.budget < 0 || request.budget >= budgets()) {
            request.budget = static_cast<int>(next_.fetch_add(1) % tokens_.size());
        }
        put(request, tokens_[static_cast<std::size_t>(request.budget)]);
        return {};
    }

    [[nodiscard]] int budgets() const override {
        return tokens_.empty() ? 1 : static_cast<int>(tokens_.size());
    }

  private:
    virtual void put(Request& request, const std::string& token) const = 0;
    std::vector<std::string> tokens_;
    std::atomic<unsigned> next_ = 0;
};

class HeaderAuth : public TokenAuth {
  public:
    HeaderAuth(std::string name, std::string prefix, std::vector<std::string> tokens)
        : TokenAuth(std::move(tokens)), name_(std::move(name)), prefix_(std::move(prefix)) {}

  private:
    void put(Request& request, const std::string& token) const override {
        request.headers.emplace_back(name_, prefix_ + token);
    }
    std::string name_, prefix_;
};

class QueryAuth : public TokenAuth {
  public:
    QueryAuth(std::string name, std::vector<std::string> tokens)
        : TokenAuth(std::move(tokens)), name_(std::move(name)) {}

  private:
    void put(Request& request, const std::string& token) const override {
        auto& url = request.url;
        url.resize(std::min(url.size(), url.find('#')));
        url += url.find('?') == std::string::npos ? '?' : '&';
        url += url_encode(name_) + '=' + url_encode(token);
    }
    std::string name_;
};

class AppAuth : public Authenticator {
  public:
    AppAuth(AppKey key, std::unique_ptr<Client> client)
        : key_(std::move(key)),
          client_(std::move(client)),
          token_(key_.cached_token),
          expires_(key_.cached_expires) {}

    Result<> sign(Request& request) override {
        request.budget = 0;
        // Signed by its caller: it asks as the app itself.
        if (std::ranges::find(request.headers, "Authorization",
                              &std::pair<std::string, std::string>::first) != request.headers.end())
            return {};
        {
            std::lock_guard lock(mutex_);
            auto now = now_millis();
            bool usable = !token_.empty() && now < expires_;
            if (!usable || now >= std::max(expires_ - key_.renew_before, tried_ + pause_between_tries)) {
                auto exchanged = exchange(now);
                if (!exchanged && !usable) return exchanged;
                if (!exchanged) log()->warn("{}", exchanged.error().text());
            }
            request.headers.emplace_back("Authorization", "Bearer " + token_);
        }
        return {};
    }

    Result<bool> renew() override {
        std::lock_guard lock(mutex_);
        TARN_TRY(exchange(now_millis()));
        return true;
    }

  private:
    static constexpr Millis pause_between_tries = 30'000;  // while the old token still serves

    Result<> exchange(Millis now);
    Result<> keep(const std::string& answer, Millis now);

    const AppKey key_;
    std::unique_ptr<Client> client_;
    std::mutex mutex_;  // held during the exchange: single flight
    std::string token_;
    Millis expires_, tried_ = 0;
};

Result<> AppAuth::exchange(Millis now) {
    constexpr Millis lifetime = 540'000;  // of the ten minutes allowed, less a wrong clock
    tried_ = now;
    TARN_ASSIGN(auto jwt, sign_jwt(key_.issuer, key_.private_key, now, lifetime));
    Request request{
        .method = "POST", .url = key_.exchange_url, .headers = {{"Authorization", "Bearer " + jwt}}};
    TARN_ASSIGN(auto response, client_->fetch(std::move(request)));
    if (response.status < 200 || response.status > 299) {
        return refused("the app's key was not accepted, status " + std::to_string(response.status),
                       "Check the app id, its private key and the installation id.",
                       shown_url(key_.exchange_url));
    }
    return keep(response.body, now);
}

Result<> AppAuth::keep(const std::string& answer, Millis now) {
    constexpr Millis unsaid_lifetime = 3'600'000;
    auto json = nlohmann::json::parse(answer, nullptr, false);
    auto token = json.is_object() ? json.find(key_.token_field) : json.end();
    if (!json.is_object() || token == json.end() || !token->is_string()) {
        return refused("the answer holds no " + key_.token_field, "Check the endpoint.",
                       shown_url(key_.exchange_url));
    }
    Millis expires = now + unsaid_lifetime;
    auto told = json.find(key_.expires_field);
    if (told != json.end() && told->is_string()) {
        Millis at = 0;
        if (parse_time(told->get_ref<const std::string&>(), at) == Parsed::ok) expires = at;
    } else if (told != json.end() && told->is_number()) {
        auto seconds = told->get<std::int64_t>();
        constexpr std::int64_t ten_years = 315'360'000;
        expires = seconds * 1000 + (seconds < ten_years ? now : 0);
    }
    token_ = token->get<std::string>();
    expires_ = expires;
    if (key_.renewed) key_.renewed(token_, expires_);
    return {};
}

}  // namespace

std::shared_ptr<Authenticator> bearer_auth(std::vector<std::string> tokens) {
    return header_auth("Authorization", "Bearer ", std::move(tokens));
}

std::shared_ptr<Authenticator> header_auth(std::string name, std::string prefix,
                                           std::vector<std::string> tokens) {
    return std::make_shared<HeaderAuth>(std::move(name), std::move(prefix), std::move(tokens));
}

std::shared_ptr<Authenticator> basic_auth(const std::string& user, const std::string& password) {
    std::vector<std::string> tokens = {base64(user + ":" + password)};
    return header_auth("Authorization", "Basic ", std::move(tokens));
}

std::shared_ptr<Authenticator> query_auth(std::string name, std::vector<std::string> tokens) {
    return std::make_shared<QueryAuth>(std::move(name), std::move(tokens));
}

Result<std::shared_ptr<Authenticator>> app_auth(AppKey key, ClientOptions transport) {
    TARN_TRY(sign_jwt(key.issuer, key.private_key, now_millis(), 0));
    transport.auth = nullptr;
    TARN_ASSIGN(auto client, open_client(std::move(transport)));
    return std::make_shared<AppAuth>(std::move(key), std::move(client));
}

}  // namespace tarn::http
