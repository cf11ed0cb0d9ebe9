#include <xxhash.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "connector/connector.h"

namespace tarn::connector {
namespace {

constexpr std::size_t longest_params = 255;

// Go's encoder escapes these so that JSON may stand in HTML and JavaScript.
std::string go_escaped(std::string json) {
    static const std::vector<std::pair<std::string, std::string>> escapes = {{"<", "\\u003c"},
                                                                             {">", "\\u003e"},
                                                                             {"&", "\\u0026"},
                                                                             {"\xE2\x80\xA8", "\\u2028"},
                                                                             {"\xE2\x80\xA9", "\\u2029"}};
    for (const auto& [from, to] : escapes) json = replaced(std::move(json), from, to);
    return json;
}

std::string go_json(const std::string& value) {
    auto json = nlohmann::ordered_json::parse(value, nullptr, false);
    if (json.is_discarded()) json = value;
    return go_escaped(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

std::string scope_params(const Connector& connector, const std::map<std::string, std::string>& options_json) {
    std::string out = "{";
    for (const auto& [key, option] : connector.scope.params) {
        if (out.size() > 1) out += ',';
        auto value = options_json.find(option);
        out +=
            go_json('"' + key + '"') + ":" + (value == options_json.end() ? "null" : go_json(value->second));
    }
    return out + "}";
}

std::string option_params(const Connector& connector,
                          const std::map<std::string, std::string>& options_json) {
    std::string out = "{";
    for (const auto& field : connector.options) {
        auto value = options_json.find(field.name);
        if (value == options_json.end()) continue;
        if (out.size() > 1) out += ',';
        out += go_json('"' + field.name + '"') + ":" + go_json(value->second);
    }
    out += '}';
    // Longer ones fit no column of params.
    if (out.size() <= longest_params) return out;
    return fmt::format(R"({{"options":"{:016x}"}})", XXH3_64bits(out.data(), out.size()));
}

}  // namespace tarn::connector
