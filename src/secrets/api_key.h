// API keys, compatible with Apache DevLake: how one is made, and the digest that is stored in its place.
// Thread rule: pure functions. Errors: terminal (no random numbers, an empty secret).
#pragma once

#include <string>

#include "base/result.h"

namespace tarn::secrets {

// 128 random letters and digits
Result<std::string> random_api_key();
// Lower-case hex of HMAC-SHA-256 by the secret without its surrounding blanks
Result<std::string> api_key_digest(const std::string& secret, const std::string& key);

}  // namespace tarn::secrets
