#include "secrets/api_key.h"

#include <array>
#include <string_view>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/text.h"

namespace tarn::secrets {

Result<std::string> random_api_key() {
    constexpr std::size_t length = 128;
    constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    constexpr std::size_t fair = 256 - 256 % characters.size();  // bytes from here on would favour some
    std::string out;
    while (out.size() < length) {
        std::array<unsigned char, length> random{};
        if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
            return fail(ErrorKind::terminal, "no random numbers");
        for (unsigned char byte : random) {
            if (byte < fair && out.size() < length) out += characters[byte % characters.size()];
        }
    }
    return out;
}

Result<std::string> api_key_digest(const std::string& secret, const std::string& key) {
    auto trimmed_secret = trimmed(secret);
    if (trimmed_secret.empty()) return fail(ErrorKind::terminal, "ENCRYPTION_SECRET is empty");
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    const auto* made =
        HMAC(EVP_sha256(), trimmed_secret.data(), static_cast<int>(trimmed_secret.size()),
             reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data(), &size);
    if (made == nullptr) return fail(ErrorKind::terminal, "the digest of an API key cannot be made");
    std::string out;
    for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
    return out;
}

}  // namespace tarn::secrets
