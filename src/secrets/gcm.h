// AES-256-GCM: what is sealed can be opened with the same key, nonce and context only, and not if a byte of it has changed.
// A nonce is never used twice with one key. Thread rule: pure functions. Errors: bug where OpenSSL fails.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::secrets {

constexpr std::size_t nonce_bytes = 12, tag_bytes = 16;
using GcmKey = std::array<unsigned char, 32>;

// Ciphertext and tag. `context` is not stored, and must be the same at opening.
Result<std::string> gcm_seal(const GcmKey& key, std::string_view nonce, std::string_view context,
                             std::string_view text);
// nullopt where the tag does not fit
std::optional<std::string> gcm_open(const GcmKey& key, std::string_view nonce, std::string_view context,
                                    std::string_view sealed);

}  // namespace tarn::secrets
