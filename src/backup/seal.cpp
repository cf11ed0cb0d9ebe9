#include "backup/seal.h"

#include <array>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/base64.h"

namespace tarn::backup {
namespace {

using Json = nlohmann::json;

// 64 MB and a quarter of a second.
constexpr std::uint64_t cost = 65'536, block_size = 8, parallel = 1;
constexpr std::uint64_t most_cost = 1U << 20U, most_other = 64;
constexpr std::uint64_t most_memory = 2'000'000'000;
constexpr std::size_t salt_bytes = 16;

std::string nonce_of(std::uint64_t number) {
    std::string nonce(secrets::nonce_bytes, '\0');
    for (std::size_t i = 0; i < sizeof number; ++i)
        nonce[nonce.size() - 1 - i] = static_cast<char>(number >> (8 * i));
    return nonce;
}

Failure no_parameters() {
    return fail(ErrorKind::bad_data, "the backup's head does not say how it is encrypted");
}

}  // namespace

Result<Json> Seal::new_parameters() {
    std::array<unsigned char, salt_bytes> salt{};
    if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1)
        return fail(ErrorKind::terminal, "no random numbers");
    return Json{{"cipher", "aes-256-gcm"},
                {"key", "scrypt"},
                {"n", cost},
                {"r", block_size},
                {"p", parallel},
                {"salt", base64({reinterpret_cast<const char*>(salt.data()), salt.size()})}};
}

Result<Seal> Seal::make(const std::string& passphrase, const Json& parameters) {
    if (passphrase.empty()) return fail(ErrorKind::terminal, "the passphrase is empty");
    for (const auto* name : {"n", "r", "p"}) {
        if (!parameters.contains(name) || !parameters[name].is_number_unsigned()) return no_parameters();
    }
    auto n = parameters["n"].get<std::uint64_t>(), r = parameters["r"].get<std::uint64_t>(),
         p = parameters["p"].get<std::uint64_t>();
    auto salt = from_base64(parameters.value("salt", ""));
    bool known = parameters.value("cipher", "") == "aes-256-gcm" && parameters.value("key", "") == "scrypt";
    if (!known || !salt || n > most_cost || r > most_other || p > most_other) return no_parameters();
    Seal seal;
    if (EVP_PBE_scrypt(passphrase.data(), passphrase.size(),
                       reinterpret_cast<const unsigned char*>(salt->data()), salt->size(), n, r, p,
                       most_memory, seal.key_.data(), seal.key_.size()) != 1)
        return fail(ErrorKind::bad_data, "no key can be made with the parameters in the backup's head");
    return seal;
}

Result<std::string> Seal::close(std::uint64_t number, std::string_view context, std::string_view text) const {
    return secrets::gcm_seal(key_, nonce_of(number), context, text);
}

std::optional<std::string> Seal::open(std::uint64_t number, std::string_view context,
                                      std::string_view sealed) const {
    return secrets::gcm_open(key_, nonce_of(number), context, sealed);
}

}  // namespace tarn::backup
