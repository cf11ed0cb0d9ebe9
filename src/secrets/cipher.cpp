#include "secrets/cipher.h"

#include <memory>
#include <optional>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/base64.h"
#include "base/text.h"
#include "secrets/gcm.h"

namespace tarn::secrets {
namespace {

constexpr std::string_view marker = "{nddtf}";
constexpr std::size_t block_size = 16;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Context new_context() { return {EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free}; }

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Failure broken(const char* what) { return fail(ErrorKind::bug, std::string("OpenSSL failed: ") + what); }

// The padding's bytes but the last are not looked at, as DevLake does not.
std::optional<std::string> open_cbc(const unsigned char* key, std::string_view sealed) {
    if (sealed.empty() || sealed.size() % block_size != 0) return std::nullopt;
    auto context = new_context();
    std::string text(sealed.size() + block_size, '\0');
    int length = 0;
    bool opened = context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, key, key) == 1 &&
                  EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
                  EVP_DecryptUpdate(context.get(), bytes(text), &length, bytes(sealed),
                                    static_cast<int>(sealed.size())) == 1;
    if (!opened || static_cast<std::size_t>(length) != sealed.size()) return std::nullopt;
    text.resize(sealed.size());
    auto padding = static_cast<unsigned char>(text.back());
    text.resize(padding < text.size() ? text.size() - padding : 0);
    return text;
}

}  // namespace

Result<Cipher> Cipher::make(std::string_view secret) {
    if (secret.empty())
        return fail(ErrorKind::terminal, "ENCRYPTION_SECRET is not set", {},
                    "Set it in the environment or in .env.");
    Cipher cipher;
    unsigned length = 0;
    if (EVP_Digest(secret.data(), secret.size(), cipher.key_.data(), &length, EVP_sha256(), nullptr) != 1)
        return broken("SHA-256");
    return cipher;
}

Cipher Cipher::locked(Error why) {
    Cipher cipher;
    cipher.locked_ = std::move(why);
    return cipher;
}

Result<std::string> Cipher::encrypt(std::string_view text) const {
    if (locked_) return fail(*locked_);
    std::string nonce(nonce_bytes, '\0');
    if (RAND_bytes(bytes(nonce), static_cast<int>(nonce_bytes)) != 1) return broken("random numbers");
    TARN_ASSIGN(auto sealed, gcm_seal(key_, nonce, {}, std::string(text) + std::string(marker)));
    return base64(nonce + sealed);
}

Result<std::string> Cipher::decrypt(std::string_view stored) const {
    if (locked_) return fail(*locked_);
    auto sealed = from_base64(stored);
    if (!sealed)
        return fail(ErrorKind::bad_data, "a secret column holds a value that is not encrypted", {},
                    "Enter the secret again.");
    std::optional<std::string> text;
    std::string_view stored_bytes = *sealed;
    if (stored_bytes.size() >= nonce_bytes + tag_bytes)
        text = gcm_open(key_, stored_bytes.substr(0, nonce_bytes), {}, stored_bytes.substr(nonce_bytes));
    if (!text) text = open_cbc(key_.data(), *sealed);
    if (!text || !text->ends_with(marker)) {
        return fail(ErrorKind::terminal, "a secret was encrypted with another ENCRYPTION_SECRET", {},
                    "Give the key that was used with `tarn key import`, or enter the secret again.");
    }
    text->resize(text->size() - marker.size());
    return *text;
}

}  // namespace tarn::secrets
