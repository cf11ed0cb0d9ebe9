#include "run/fields.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/json_depth.h"
#include "base/text.h"
#include "base/time.h"
#include "http/url.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;
using connector::Field;

bool is_structured(const Field& field) {
    return field.is_list() || field.kind == "map" || field.kind == "json";
}

bool is_time(const Table& table, const Field& field) {
    const Column* column = table.column(field.column);
    return column != nullptr && column->type == ColumnType::datetime;
}

std::string told(const Json& value) {
    auto text = text_of(value);
    return text.size() <= 60 ? text : valid_utf8(text.substr(0, 60)) + "…";
}

Result<Json> checked_number(const Field& field, const Json& value) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    bool fits = !value.is_number_unsigned() || value.get<std::uint64_t>() <= most;
    if (value.is_number_integer() && fits) return value;
    auto text = value.is_string() ? value.get<std::string>() : std::string();
    bool digits = !text.empty() && text.size() < 19 &&
                  text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == std::string::npos &&
                  text != "-";
    if (!digits) return wrong(field.name, "must be a whole number, found " + told(value));
    return Json(std::stoll(text));
}

Result<Json> checked_boolean(const Field& field, const Json& value) {
    if (value.is_boolean()) return value;
    if (value == "true" || value == "false") return Json(value == "true");
    return wrong(field.name, "must be true or false, found " + told(value));
}

Result<Json> checked_structure(const Field& field, const Json& value) {
    bool deep = value.is_string() && is_too_deep(value.get_ref<const std::string&>());
    Json parsed = value.is_string() && !deep ? Json::parse(value.get<std::string>(), nullptr, false) : value;
    if (deep || parsed.is_discarded()) return wrong(field.name, "must be JSON");
    if (field.is_list() && !parsed.is_array()) return wrong(field.name, "must be a list");
    if (field.kind == "map" && !parsed.is_object()) return wrong(field.name, "must be an object");
    return parsed;
}

Result<> check_regex(const Field& field, const std::string& pattern) {
    RE2 regex(pattern, RE2::Quiet);
    if (regex.ok()) return {};
    return wrong(field.name, "is no regular expression (RE2 syntax): " + regex.error());
}

Result<Json> checked_text(const Table& table, const Field& field, const Json& value) {
    if (value.is_structured() || value.is_boolean()) return wrong(field.name, "must be a text");
    std::string text = text_of(value);
    const Column* column = table.column(field.column);
    if (column != nullptr && field.kind != "secret") TARN_TRY(check_text(*column, field.name, text));
    // They would end a header's line.
    if (field.kind != "secret" && text.find_first_of("\r\n") != std::string::npos)
        return wrong(field.name, "must be one line");
    if (text.empty()) return Json(text);
    if (field.kind == "url" && !http::is_http_url(text))
        return wrong(field.name, "must be a URL that starts with http:// or https://");
    bool socks = lower(text).starts_with("socks5://") || lower(text).starts_with("socks5h://");
    if (field.kind == "proxy" && !socks && !http::is_http_url(text))
        return wrong(field.name, "must be a URL that starts with http://, https:// or socks5://");
    if (field.kind == "regex") TARN_TRY(check_regex(field, text));
    if (field.kind == "choice" && !contains(field.choices, text)) {
        return wrong(field.name, "must be one of " + join(field.choices, ", "));
    }
    Millis time = 0;
    if (is_time(table, field) && parse_time(text, time) != Parsed::ok)
        return wrong(field.name, "must be a time such as 2026-11-23T13:55:38Z");
    return Json(text);
}

}  // namespace

Failure wrong(const std::string& field, const std::string& message) {
    return fail(ErrorKind::bad_data, message, field);
}

std::string text_of(const Json& value) {
    if (value.is_null()) return {};
    return value.is_string() ? value.get<std::string>()
                             : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json unset(const Table& table, const Field& field) {
    if (field.kind == "number") return 0;
    if (field.kind == "boolean") return false;
    if (field.is_list()) return Json::array();
    if (field.kind == "map") return Json::object();
    if (field.kind == "json" || is_time(table, field)) return nullptr;
    return "";
}

Result<> check_text(const Column& column, const std::string& name, const std::string& text) {
    auto characters =
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    if (column.length > 0 && characters > column.length)
        return wrong(name, fmt::format("must not be longer than {} characters", column.length));
    if (text.find('\0') != std::string::npos) return wrong(name, "must not hold the character U+0000");
    return {};
}

Result<Json> checked(const Table& table, const Field& field, const Json& value) {
    if (value.is_null()) return unset(table, field);
    if (field.kind == "number") return checked_number(field, value);
    if (field.kind == "boolean") return checked_boolean(field, value);
    if (is_structured(field)) return checked_structure(field, value);
    return checked_text(table, field, value);
}

Json json_of(const Table& table, const Field& field, const ControlRows& rows, std::size_t row) {
    if (rows.is_null(row, field.column)) return unset(table, field);
    if (field.kind == "number") return rows.number(row, field.column);
    if (field.kind == "boolean") return rows.number(row, field.column) != 0;
    auto text = rows.text(row, field.column);
    if (is_structured(field)) {
        auto parsed = Json::parse(text, nullptr, false);
        return parsed.is_discarded() ? unset(table, field) : parsed;
    }
    Millis time = 0;
    if (is_time(table, field) && parse_time(text, time) == Parsed::ok) return format_millis(time);
    return text;
}

ControlValue value_of(const Table& table, const Field& field, const Json& value) {
    if (value.is_null()) return std::monostate{};
    if (field.kind == "number") return value.get<std::int64_t>();
    if (field.kind == "boolean") return static_cast<std::int64_t>(value.get<bool>() ? 1 : 0);
    if (is_structured(field)) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
    Millis time = 0;
    if (is_time(table, field))
        return parse_time(text_of(value), time) == Parsed::ok ? ControlValue(format_sql(time))
                                                              : ControlValue();
    return text_of(value);
}

std::string api_time(const std::string& text) {
    Millis time = 0;
    return parse_time(text, time) == Parsed::ok ? format_millis(time) : text;
}

}  // namespace tarn::run
