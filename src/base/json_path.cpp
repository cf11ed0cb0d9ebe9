#include "base/json_path.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <system_error>

#include <nlohmann/json.hpp>

namespace tarn {
namespace {

// ---- scanning: positions in the text; broken JSON ends at its end

std::size_t skip_blank(std::string_view json, std::size_t at) {
    while (at < json.size() && (json[at] == ' ' || json[at] == '\n' || json[at] == '\t' || json[at] == '\r'))
        ++at;
    return at;
}

std::size_t skip_text(std::string_view json, std::size_t at) {
    for (++at; at < json.size(); ++at) {
        if (json[at] == '\\') {
            ++at;
        } else if (json[at] == '"') {
            return at + 1;
        }
    }
    return json.size();
}

std::size_t skip_nested(std::string_view json, std::size_t at) {
    int depth = 0;
    while (at < json.size()) {
        char c = json[at];
        if (c == '"') {
            at = skip_text(json, at);
            continue;
        }
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at;
        if (depth == 0) return at;
    }
    return at;
}

std::size_t skip_value(std::string_view json, std::size_t at) {
    if (at >= json.size()) return at;
    if (json[at] == '"') return skip_text(json, at);
    if (json[at] == '{' || json[at] == '[') return skip_nested(json, at);
    return std::min(json.find_first_of(",]} \n\t\r", at), json.size());
}

std::string unquoted(std::string_view raw) {
    if (raw.find('\\') == std::string_view::npos && raw.size() >= 2)
        return std::string(raw.substr(1, raw.size() - 2));
    auto parsed = nlohmann::json::parse(raw, nullptr, false);
    return parsed.is_string() ? parsed.get<std::string>() : std::string(raw);
}

// Calls `use` with each value of the object or list that `json` is (key "" within a list); it says whether to go on.
void each_value(std::string_view json,
                const std::function<bool(const std::string& key, std::string_view value)>& use) {
    std::size_t at = skip_blank(json, 0);
    if (at >= json.size() || (json[at] != '{' && json[at] != '[')) return;
    bool object = json[at] == '{';
    at = skip_blank(json, at + 1);
    while (at < json.size() && json[at] != '}' && json[at] != ']') {
        std::string key;
        if (object) {
            auto end = skip_value(json, at);
            key = unquoted(json.substr(at, end - at));
            at = skip_blank(json, end);
            if (at < json.size() && json[at] == ':') at = skip_blank(json, at + 1);
        }
        auto end = skip_value(json, at);
        if (end == at || !use(key, json.substr(at, end - at))) return;
        at = skip_blank(json, end);
        if (at < json.size() && json[at] == ',') at = skip_blank(json, at + 1);
    }
}

// ---- the path

struct Part {
    std::string name;     // without escapes
    std::string pattern;  // with escapes, where it has a wildcard
    std::string condition;
    bool all = false;  // of what meets the condition
    bool is_condition = false;
    std::size_t rest = std::string_view::npos;  // where the path goes on; npos: it ends
};

bool matches_pattern(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern[0] == '*') {
        for (std::size_t i = 0; i <= text.size(); ++i) {
            if (matches_pattern(pattern.substr(1), text.substr(i))) return true;
        }
        return false;
    }
    if (text.empty()) return false;
    if (pattern[0] == '\\' && pattern.size() > 1)
        pattern.remove_prefix(1);
    else if (pattern[0] == '?')
        return matches_pattern(pattern.substr(1), text.substr(1));
    return pattern[0] == text[0] && matches_pattern(pattern.substr(1), text.substr(1));
}

Part read_condition(std::string_view path) {
    Part part;
    part.is_condition = true;
    std::size_t at = 2;
    for (int depth = 1; at < path.size(); ++at) {
        if (path[at] == '"') {
            at = skip_text(path, at) - 1;
        } else if (path[at] == '(') {
            ++depth;
        } else if (path[at] == ')' && --depth == 0) {
            break;
        }
    }
    part.condition = std::string(path.substr(2, at - 2));
    ++at;
    if (at < path.size() && path[at] == '#') {
        part.all = true;
        ++at;
    }
    if (at < path.size()) part.rest = at + 1;
    return part;
}

Part read_part(std::string_view path) {
    if (path.starts_with("#(")) return read_condition(path);
    Part part;
    bool wild = false;
    for (std::size_t at = 0; at < path.size(); ++at) {
        char c = path[at];
        if (c == '.' || c == '|') {
            part.rest = at + 1;
            break;
        }
        if (c == '\\' && at + 1 < path.size()) {
            part.pattern += c;
            c = path[++at];
        } else {
            wild = wild || c == '*' || c == '?';
        }
        part.name += c;
        part.pattern += c;
    }
    if (!wild) part.pattern.clear();
    return part;
}

// ---- conditions

struct Condition {
    std::string path, comparison, value;
};

Condition read_comparison(const std::string& text) {
    Condition out;
    std::size_t at = 0;
    while (at < text.size() && std::string_view("=!<>%").find(text[at]) == std::string_view::npos) ++at;
    std::size_t end = at;
    while (end < text.size() && std::string_view("=!<>%").find(text[end]) != std::string_view::npos) ++end;
    auto plain = [](std::string_view part) {
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        return std::string(part);
    };
    out.path = plain(std::string_view(text).substr(0, at));
    out.comparison = text.substr(at, end - at);
    out.value = plain(std::string_view(text).substr(end));
    return out;
}

bool fulfils(std::string_view value, const Condition& condition) {
    auto found = condition.path.empty() ? std::optional(JsonFound{std::string(value)})
                                        : find_json(value, condition.path);
    if (condition.comparison.empty()) return found.has_value();
    if (!found) return false;
    bool texts = found->raw.starts_with('"');
    std::string want = condition.value.starts_with('"') ? unquoted(condition.value) : condition.value;
    if (condition.comparison == "%") return texts && matches_pattern(want, found->text());
    if (condition.comparison == "!%") return texts && !matches_pattern(want, found->text());
    if (texts != condition.value.starts_with('"')) return condition.comparison == "!=";
    int order = 0;
    bool numbers = !texts && std::string_view("-0123456789").find(found->raw[0]) != std::string_view::npos;
    if (numbers) {
        double a = std::strtod(found->raw.c_str(), nullptr), b = std::strtod(want.c_str(), nullptr);
        order = a < b ? -1 : a > b ? 1 : 0;
    } else {
        order = found->text().compare(want);
    }
    if (condition.comparison == "=" || condition.comparison == "==") return order == 0;
    if (condition.comparison == "!=") return order != 0;
    if (condition.comparison == "<") return order < 0;
    if (condition.comparison == "<=") return order <= 0;
    if (condition.comparison == ">") return order > 0;
    return condition.comparison == ">=" && order >= 0;
}

// ---- the search

std::optional<JsonFound> rest_of(std::string_view value, std::string_view path, const Part& part) {
    if (part.rest == std::string_view::npos) return JsonFound{std::string(value)};
    return find_json(value, path.substr(part.rest));
}

JsonFound list_of(const std::vector<JsonFound>& values) {
    std::string raw = "[";
    for (const auto& value : values) raw += (raw.size() == 1 ? "" : ",") + value.raw;
    return {raw + "]"};
}

std::optional<JsonFound> find_in_list(std::string_view json, std::string_view path, const Part& part) {
    bool every = part.name == "#" || (part.is_condition && part.all);
    auto condition = read_comparison(part.condition);
    std::vector<JsonFound> found;
    std::size_t index = 0, wanted = 0, count = 0;
    bool is_index = std::from_chars(part.name.data(), part.name.data() + part.name.size(), wanted).ptr ==
                        part.name.data() + part.name.size() &&
                    !part.name.empty();
    each_value(json, [&](const std::string&, std::string_view value) {
        ++count;
        bool meant = part.is_condition ? fulfils(value, condition) : every || (is_index && index == wanted);
        ++index;
        if (!meant) return true;
        if (auto inner = rest_of(value, path, part)) found.push_back(std::move(*inner));
        return every;
    });
    if (part.name == "#" && part.rest == std::string_view::npos) return JsonFound{std::to_string(count)};
    if (every) return list_of(found);
    if (found.empty()) return std::nullopt;
    return found.front();
}

}  // namespace

std::optional<JsonFound> find_json(std::string_view json, std::string_view path) {
    auto part = read_part(path);
    auto start = skip_blank(json, 0);
    if (start < json.size() && json[start] == '[') return find_in_list(json, path, part);
    std::optional<JsonFound> found;
    if (part.is_condition) return found;
    each_value(json, [&](const std::string& key, std::string_view value) {
        bool meant = part.pattern.empty() ? key == part.name : matches_pattern(part.pattern, key);
        if (meant) found = rest_of(value, path, part);
        return !meant;
    });
    return found;
}

std::string JsonFound::text() const {
    if (raw.empty() || is_null()) return {};
    if (raw[0] == '"') return unquoted(raw);
    bool number = std::string_view("-0123456789").find(raw[0]) != std::string_view::npos;
    if (!number || raw.find_first_not_of("0123456789", 1) == std::string::npos) return raw;
    // As long as the longest double without an exponent
    std::array<char, 400> digits{};
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), std::strtod(raw.c_str(), nullptr),
                             std::chars_format::fixed);
    return end.ec == std::errc{} ? std::string(digits.data(), end.ptr) : raw;
}

std::vector<JsonFound> JsonFound::items() const {
    std::vector<JsonFound> out;
    if (!is_list()) return out;
    each_value(raw, [&](const std::string&, std::string_view value) {
        out.push_back({std::string(value)});
        return true;
    });
    return out;
}

Result<> check_json_path(std::string_view path) {
    if (path.empty()) return fail(ErrorKind::bad_data, "a path must not be empty");
    for (auto rest = path;;) {
        if (rest.starts_with('@') || rest.starts_with('{') || rest.starts_with('[') || rest.starts_with('!'))
            return fail(ErrorKind::bad_data,
                        "the path '" + std::string(path) + "' has a part that starts with '" + rest[0] +
                            "', which is not known",
                        {}, R"x(Known are names, positions, "*", "?", "#" and "#(…)".)x");
        auto part = read_part(rest);
        if (part.rest == std::string_view::npos) return {};
        rest = rest.substr(std::min(part.rest, rest.size()));
    }
}

}  // namespace tarn
