#include "http/auth.h"

#include <filesystem>
#include <fstream>
#include <future>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "unit/http_server.h"

namespace tarn::http {
namespace {

using ServerAnswer = httplib::Response;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string private_pem(EVP_PKEY* key) {
    std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    auto size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

EVP_PKEY* rsa_key() {
    // Short, because it is made anew in each run.
    static const Key key(EVP_RSA_gen(1024), EVP_PKEY_free);
    return key.get();
}

std::string decoded(std::string text) {
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    std::size_t padding = (4 - text.size() % 4) % 4;
    text.append(padding, '=');
    std::string out(text.size(), '\0');
    auto size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(size) - padding);
    return out;
}

bool verified(const std::string& jwt) {
    auto dot = jwt.rfind('.');
    auto text = jwt.substr(0, dot);
    auto signature = decoded(jwt.substr(dot + 1));
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, rsa_key()) == 1 &&
           EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                            signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                            text.size()) == 1;
}

std::string signed_header(Authenticator& auth, const std::string& name = "Authorization") {
    Request request{.url = "http://h/"};
    EXPECT_TRUE(auth.sign(request));
    for (const auto& [key, value] : request.headers) {
        if (key == name) return value;
    }
    return {};
}

TEST(HttpAuth, FixedKinds) {
    EXPECT_EQ(signed_header(*basic_auth("me", "pass:word")), "Basic bWU6cGFzczp3b3Jk");
    auto tokens = header_auth("Private-Token", "t ", {"a", "b"});
    EXPECT_EQ(tokens->budgets(), 2);
    EXPECT_EQ(signed_header(*tokens, "Private-Token"), "t a");
    EXPECT_EQ(signed_header(*tokens, "Private-Token"), "t b");
    EXPECT_EQ(signed_header(*tokens, "Private-Token"), "t a");
    Request chosen{.url = "http://h/", .budget = 1};
    ASSERT_TRUE(bearer_auth({"a", "b"})->sign(chosen));
    EXPECT_EQ(chosen.headers[0].second, "Bearer b");
    auto query = query_auth("key", {"a b"});
    Request plain{.url = "http://h/p"};
    Request with_query{.url = "http://h/p?x=1#f"};
    ASSERT_TRUE(query->sign(plain) && query->sign(with_query));
    EXPECT_EQ(plain.url, "http://h/p?key=a%20b");
    EXPECT_EQ(with_query.url, "http://h/p?x=1&key=a%20b");
    EXPECT_EQ(plain.budget, 0);
    EXPECT_FALSE(*query->renew());
}

TEST(HttpAuth, SignsTokens) {
    constexpr Millis now = 1'700'000'000'000;
    auto jwt = sign_jwt("12345", private_pem(rsa_key()), now, 100'000'000).value();
    EXPECT_TRUE(verified(jwt));
    EXPECT_FALSE(verified("x" + jwt));
    auto parts = split(jwt, '.');
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(nlohmann::json::parse(decoded(parts[0])), nlohmann::json({{"alg", "RS256"}, {"typ", "JWT"}}));
    auto claims = nlohmann::json::parse(decoded(parts[1]));
    EXPECT_EQ(claims, nlohmann::json({{"iat", 1'699'999'940}, {"exp", 1'700'000'600}, {"iss", "12345"}}));
    EXPECT_TRUE(sign_jwt("1", replaced(private_pem(rsa_key()), "\n", "\\n"), now, 0));
}

TEST(HttpAuth, BadKeysAreToldAtOnce) {
    Key curve(EVP_EC_gen("P-256"), EVP_PKEY_free);
    for (const auto& pem : {std::string(), std::string("secret"), private_pem(curve.get())}) {
        auto auth = app_auth({.issuer = "1", .private_key = pem}, quick_options());
        ASSERT_FALSE(auth);
        EXPECT_EQ(auth.error().kind, ErrorKind::terminal);
        EXPECT_FALSE(auth.error().next_step.empty());
        EXPECT_EQ(auth.error().text().find("secret"), std::string::npos);
    }
    EXPECT_FALSE(app_auth({.private_key = private_pem(rsa_key())}, quick_options()));
}

// Exchanges app tokens for t1, t2, ...; only the last one is valid.
class AppServer {
  public:
    AppServer() {
        web.server.Post("/exchange", [this](const httplib::Request& request, ServerAnswer& answer) {
            auto bearer = request.get_header_value("Authorization");
            EXPECT_TRUE(verified(bearer.substr(bearer.find(' ') + 1)));
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            nlohmann::json body = {{"token", "t" + std::to_string(++exchanges)},
                                   {"expires_at", format_rfc3339(now_millis() + lifetime)}};
            answer.status = refuse ? 401 : 201;
            answer.set_content(refuse ? "secret" : body.dump(), "application/json");
        });
        web.server.Get("/data", [this](const httplib::Request& request, ServerAnswer& answer) {
            if (request.get_header_value("Authorization") != "Bearer t" + std::to_string(exchanges))
                answer.status = 401;
        });
    }

    AppKey key() {
        return {.issuer = "1",
                .private_key = private_pem(rsa_key()),
                .exchange_url = web.url("/exchange?k=secret")};
    }

    TestServer<> web;
    std::atomic<int> exchanges = 0;
    std::atomic<Millis> lifetime = 3'600'000;
    std::atomic<bool> refuse = false;
};

std::vector<int> fetched_by_threads(Client& client, const std::string& url, int threads) {
    std::vector<std::future<int>> all;
    for (int i = 0; i < threads; ++i) {
        all.push_back(std::async(std::launch::async, [&] {
            auto answer = client.fetch({.url = url});
            return answer ? answer->status : -1;
        }));
    }
    std::vector<int> statuses;
    for (auto& one : all) statuses.push_back(one.get());
    return statuses;
}

TEST(HttpAuth, WhatAsksAsTheAppItselfIsNotSignedAgain) {
    AppServer server;
    auto auth = app_auth(server.key(), quick_options()).value();
    Request request{.headers = {{"Authorization", "Bearer own"}}};
    ASSERT_TRUE(auth->sign(request));
    EXPECT_EQ(request.headers.size(), 1U);
    EXPECT_EQ(request.headers.front().second, "Bearer own");
    EXPECT_EQ(server.exchanges, 0);
}

TEST(HttpAuth, AppTokensAreExchangedOnceAndRenewedAfterA401) {
    AppServer server;
    std::string kept;
    auto key = server.key();
    key.renewed = [&](const std::string& token, Millis expires) {
        kept = token;
        EXPECT_GT(expires, now_millis() + 3'500'000);
    };
    auto options = quick_options();
    options.auth = app_auth(key, quick_options()).value();
    auto client = opened(options);
    EXPECT_EQ(fetched_by_threads(*client, server.web.url("/data"), 12), std::vector<int>(12, 200));
    EXPECT_EQ(server.exchanges, 1);
    EXPECT_EQ(kept, "t1");
    ++server.exchanges;  // t1 is worth nothing now
    EXPECT_EQ(fetched_by_threads(*client, server.web.url("/data"), 12), std::vector<int>(12, 200));
    EXPECT_EQ(server.exchanges, 3);
    EXPECT_EQ(client->stats().retries, 0);
}

TEST(HttpAuth, AppTokensAreRenewedBeforeTheyEnd) {
    AppServer server;
    auto key = server.key();
    key.cached_token = "old";
    key.cached_expires = now_millis() + 600'000;
    EXPECT_EQ(signed_header(**app_auth(key, quick_options())), "Bearer old");
    key.cached_expires = now_millis() + 200'000;
    auto auth = app_auth(key, quick_options()).value();
    EXPECT_EQ(signed_header(*auth), "Bearer t1");
    EXPECT_EQ(signed_header(*auth), "Bearer t1");
    server.refuse = true;
    // The old one still serves; an ended one does not.
    EXPECT_EQ(signed_header(**app_auth(key, quick_options())), "Bearer old");
    key.cached_expires = now_millis() - 1;
    Request request{.url = "http://h/"};
    auto refused = (*app_auth(key, quick_options()))->sign(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::terminal);
    EXPECT_NE(refused.error().text().find("Check the app id"), std::string::npos);
    EXPECT_EQ(refused.error().text().find("secret"), std::string::npos);
}

// A certificate for 127.0.0.1 that is its own authority.
class Certificate {
  public:
    Certificate() : key(EVP_EC_gen("P-256"), EVP_PKEY_free), x509(X509_new(), X509_free) {
        X509_set_version(x509.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(x509.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
        X509_set_pubkey(x509.get(), key.get());
        auto* name = X509_get_subject_name(x509.get());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("tarn"),
                                   -1, -1, 0);
        X509_set_issuer_name(x509.get(), name);
        auto* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
        X509_add_ext(x509.get(), names, -1);
        X509_EXTENSION_free(names);
        X509_sign(x509.get(), key.get(), EVP_sha256());
        file = std::filesystem::temp_directory_path() / ("tarn-ca-" + std::to_string(::getpid()) + ".pem");
        std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_file(file.c_str(), "w"), BIO_free);
        PEM_write_bio_X509(bio.get(), x509.get());
    }
    ~Certificate() { std::filesystem::remove(file); }
    Certificate(const Certificate&) = delete;
    Certificate& operator=(const Certificate&) = delete;

    Key key;
    std::unique_ptr<X509, decltype(&X509_free)> x509;
    std::filesystem::path file;
};

TEST(HttpTls, ChecksCertificates) {
    Certificate certificate;
    TestServer<> plain;
    TestServer<httplib::SSLServer> web(certificate.x509.get(), certificate.key.get());
    web.server.Get("/", [](const httplib::Request&, ServerAnswer&) {});
    web.server.Get(
        "/down", [&](const httplib::Request&, ServerAnswer& answer) { answer.set_redirect(plain.url("/")); });
    auto url = web.url("/", "https");
    auto unknown = opened(quick_options())->fetch({.url = url});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::terminal);
    EXPECT_NE(unknown.error().next_step.find("CA file"), std::string::npos);
    auto options = quick_options();
    options.ca_file = certificate.file;
    auto client = opened(options);
    EXPECT_EQ(client->fetch({.url = url})->status, 200);
    auto down = client->fetch({.url = web.url("/down", "https")});
    ASSERT_FALSE(down);
    EXPECT_EQ(down.error().kind, ErrorKind::terminal);
    options.ca_file = "/no/such/file";
    EXPECT_EQ(open_client(options).error().kind, ErrorKind::terminal);
    options = quick_options();
    options.insecure_tls = true;
    EXPECT_EQ(opened(options)->fetch({.url = url})->status, 200);
}

}  // namespace
}  // namespace tarn::http
