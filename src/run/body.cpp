#include "run/body.h"

#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "run/fields.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

Result<std::string> checked_text(const std::string& name, const Json& value, std::size_t most_bytes) {
    if (!value.is_string()) return wrong(name, "must be a text");
    auto text = value.get<std::string>();
    if (text.find('\0') != std::string::npos) return wrong(name, "must not hold a NUL");
    if (text.size() > most_bytes)
        return wrong(name, fmt::format("is too long: {} bytes at most", most_bytes));
    return text;
}

}  // namespace

Result<Body> Body::make(const Json& json) {
    if (!json.is_object()) return wrong("body", "must be a JSON object");
    return Body(json);
}

bool Body::names(const std::string& name) const {
    for (const auto& [key, value] : json_->items()) {
        if (lower(key) == lower(name)) return true;
    }
    return false;
}

const Json& Body::at(const std::string& name) const {
    static const Json missing;
    auto exact = json_->find(name);
    if (exact != json_->end()) return *exact;
    for (const auto& [key, value] : json_->items()) {
        if (lower(key) == lower(name)) return value;
    }
    return missing;
}

Result<std::string> Body::text(const std::string& name, std::size_t most_bytes) const {
    const auto& value = at(name);
    return value.is_null() ? Result<std::string>("") : checked_text(name, value, most_bytes);
}

Result<bool> Body::flag(const std::string& name, bool otherwise) const {
    const auto& value = at(name);
    if (value.is_null()) return otherwise;
    if (!value.is_boolean()) return wrong(name, "must be true or false");
    return value.get<bool>();
}

Result<std::int64_t> Body::number(const std::string& name) const {
    const auto& value = at(name);
    if (value.is_null()) return 0;
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    bool fits =
        value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= most);
    if (!fits) return wrong(name, "must be a whole number");
    return value.get<std::int64_t>();
}

Result<std::string> Body::time(const std::string& name) const {
    const auto& value = at(name);
    if (value.is_null()) return "";
    Millis time = 0;
    auto parsed = value.is_string() ? parse_time(value.get_ref<const std::string&>(), time) : Parsed::bad;
    if (parsed == Parsed::bad) return wrong(name, "must be a time such as 2026-11-23T13:55:38Z");
    bool none = parsed == Parsed::none || value.get_ref<const std::string&>().starts_with("0001-01-01");
    return none ? std::string() : format_sql(time);
}

Result<std::vector<std::string>> Body::texts(const std::string& name, std::size_t most_bytes) const {
    const auto& value = at(name);
    std::vector<std::string> out;
    if (value.is_null()) return out;
    if (!value.is_array()) return wrong(name, "must be a list of texts");
    for (const auto& item : value) {
        TARN_ASSIGN(auto text, checked_text(name, item, most_bytes));
        out.push_back(std::move(text));
    }
    return out;
}

ControlValue text_or_null(const std::string& text) {
    return text.empty() ? ControlValue() : ControlValue(text);
}

}  // namespace tarn::run
