// The auth kinds of connector.yaml as Authenticators.
//
// bearer / header / basic / query: fixed credentials; a list of tokens is used in turn, one a request.
// app: an application key signs a short token (RS256) that is exchanged for an access token, renewed before
// it ends and once after a 401.
// Thread rule: as Authenticator. Errors: terminal, with the next step, where a key is missing or cannot be
// read.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/client.h"

namespace tarn::http {

std::shared_ptr<Authenticator> bearer_auth(std::vector<std::string> tokens);
// Header `name: prefix + token`
std::shared_ptr<Authenticator> header_auth(std::string name, std::string prefix,
                                           std::vector<std::string> tokens);
std::shared_ptr<Authenticator> basic_auth(const std::string& user, const std::string& password);
std::shared_ptr<Authenticator> query_auth(std::string name, std::vector<std::string> tokens);

struct AppKey {
    std::string issuer;       // app id
    std::string private_key;  // PEM
    std::string exchange_url;
    std::string token_field = "token", expires_field = "expires_at";  // of the exchange's answer
    Millis renew_before = 300'000;
    std::string cached_token;  // from the store, may be empty
    Millis cached_expires = 0;
    // Called with a new token and its end, so that the caller can keep it. Other requests wait for its
    // return; it must not use the authenticator.
    std::function<void(const std::string& token, Millis expires)> renewed;
};
// `transport`: how the exchange is made (proxy, CA, headers, cancel token); its `auth` is ignored.
Result<std::shared_ptr<Authenticator>> app_auth(AppKey key, ClientOptions transport);

// A signed JWT (RS256) for tests and for the connection test of an app.
Result<std::string> sign_jwt(const std::string& issuer, const std::string& private_key_pem, Millis now,
                             Millis lifetime);

}  // namespace tarn::http
