#include <algorithm>
#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/text.h"
#include "http/auth.h"

namespace tarn::http {
namespace {

constexpr Millis longest_lifetime = 600'000;
constexpr Millis clock_allowance = 60'000;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Failure bad_key(std::string message) {
    ERR_clear_error();
    return fail(ErrorKind::terminal, std::move(message), "app key",
                "Enter the app's private key as downloaded, with its BEGIN and END lines.");
}

// Without one OpenSSL asks for a password at the terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return 0; }

Result<Key> read_key(const std::string& pem) {
    // Keys that come through one line of an environment file
    auto text = replaced(std::string(trimmed(pem)), "\\n", "\n");
    if (text.empty()) return bad_key("the connection has no private key");
    std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                  BIO_free);
    Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr, EVP_PKEY_free);
    if (!key) return bad_key("the private key cannot be read");
    if (EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) return bad_key("the private key is not an RSA key");
    return key;
}

std::string base64_url(std::string_view bytes) {
    std::string out = base64(bytes);
    std::ranges::replace(out, '+', '-');
    std::ranges::replace(out, '/', '_');
    out.resize(std::min(out.size(), out.find('=')));
    return out;
}

Result<std::string> signature(const std::string& text, EVP_PKEY* key) {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
        return bad_key("the private key cannot sign");
    }
    std::string out(size, '\0');
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes,
                       text.size()) != 1) {
        return bad_key("the private key cannot sign");
    }
    return base64_url({out.data(), size});
}

}  // namespace

Result<std::string> sign_jwt(const std::string& issuer, const std::string& private_key_pem, Millis now,
                             Millis lifetime) {
    if (trimmed(issuer).empty()) {
        return fail(ErrorKind::terminal, "the connection has no app id", "app key", "Enter the app id.");
    }
    TARN_ASSIGN(auto key, read_key(private_key_pem));
    nlohmann::json claims = {{"iat", (now - clock_allowance) / 1000},
                             {"exp", (now + std::clamp<Millis>(lifetime, 0, longest_lifetime)) / 1000},
                             {"iss", std::string(trimmed(issuer))}};
    constexpr auto on_bad_text = nlohmann::json::error_handler_t::replace;
    auto text = base64_url(R"({"alg":"RS256","typ":"JWT"})") + "." +
                base64_url(claims.dump(-1, ' ', false, on_bad_text));
    TARN_ASSIGN(auto signed_text, signature(text, key.get()));
    return text + "." + signed_text;
}

}  // namespace tarn::http
