#include "secrets/gcm.h"

#include <limits>
#include <memory>

#include <openssl/evp.h>

namespace tarn::secrets {
namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

int size_of(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

Result<std::string> gcm_seal(const GcmKey& key, std::string_view nonce, std::string_view context,
                             std::string_view text) {
    constexpr std::size_t longest = std::numeric_limits<int>::max() / 2;
    if (text.size() > longest)
        return fail(ErrorKind::bad_data, "a text of more than 1 GB cannot be encrypted");
    Context state(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    std::string sealed(text.size() + tag_bytes, '\0');
    int length = 0, rest = 0;
    bool done = state &&
                EVP_EncryptInit_ex(state.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes(nonce)) == 1 &&
                (context.empty() ||
                 EVP_EncryptUpdate(state.get(), nullptr, &length, bytes(context), size_of(context)) == 1) &&
                EVP_EncryptUpdate(state.get(), bytes(sealed), &length, bytes(text), size_of(text)) == 1 &&
                EVP_EncryptFinal_ex(state.get(), bytes(sealed) + length, &rest) == 1 &&
                EVP_CIPHER_CTX_ctrl(state.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_bytes),
                                    bytes(sealed) + text.size()) == 1;
    if (!done) return fail(ErrorKind::bug, "OpenSSL failed: AES-256-GCM");
    return sealed;
}

std::optional<std::string> gcm_open(const GcmKey& key, std::string_view nonce, std::string_view context,
                                    std::string_view sealed) {
    if (nonce.size() != nonce_bytes || sealed.size() < tag_bytes) return std::nullopt;
    Context state(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    auto body = sealed.substr(0, sealed.size() - tag_bytes);
    std::string tag(sealed.substr(body.size()));
    std::string text(body.size(), '\0');
    int length = 0, rest = 0;
    bool opened =
        state && EVP_DecryptInit_ex(state.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes(nonce)) == 1 &&
        (context.empty() ||
         EVP_DecryptUpdate(state.get(), nullptr, &length, bytes(context), size_of(context)) == 1) &&
        EVP_DecryptUpdate(state.get(), bytes(text), &length, bytes(body), size_of(body)) == 1 &&
        EVP_CIPHER_CTX_ctrl(state.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_bytes), tag.data()) ==
            1 &&
        EVP_DecryptFinal_ex(state.get(), bytes(text) + length, &rest) == 1;
    if (!opened) return std::nullopt;
    return text;
}

}  // namespace tarn::secrets
