// Base64 with padding (RFC 4648). Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarn {

std::string base64(std::string_view bytes);
// nullopt where the text is empty or no base64
std::optional<std::string> from_base64(std::string_view text);

}  // namespace tarn
