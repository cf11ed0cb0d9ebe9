// How deep a JSON text is nested: writing a very deep value out again would overflow the stack.
// Thread rule: pure functions.
#pragma once

#include <string_view>

namespace tarn {

constexpr int deepest_json = 100;

bool is_too_deep(std::string_view json);

}  // namespace tarn
