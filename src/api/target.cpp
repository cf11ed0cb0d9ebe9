#include "api/target.h"

#include <algorithm>

#include "base/text.h"

namespace tarn::api {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find_first_of("?#")); }

bool is_value(std::string_view segment) { return segment.starts_with('{'); }
bool is_rest(std::string_view segment) { return segment.ends_with("...}"); }

std::string value_name(std::string_view segment) {
    return std::string(segment.substr(1, segment.size() - (is_rest(segment) ? 5 : 2)));
}

void take(std::string_view pattern, const std::vector<std::string_view>& segments, Match& match) {
    std::vector<std::string> values, raw;
    for (auto segment : segments) {
        values.push_back(decoded(segment));
        raw.emplace_back(segment);
    }
    auto value = join(values, "/");
    match.shown += '/' + replaced(value, "/", "%2F");
    if (is_rest(pattern)) match.rest = join(raw, "/");
    match.values[value_name(pattern)] = std::move(value);
}

}  // namespace

std::string decoded(std::string_view segment) {
    std::string out;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        bool escape = segment[i] == '%' && i + 2 < segment.size() && hex_digit(segment[i + 1]) >= 0 &&
                      hex_digit(segment[i + 2]) >= 0;
        if (!escape) {
            out += segment[i];
            continue;
        }
        out += static_cast<char>(hex_digit(segment[i + 1]) * 16 + hex_digit(segment[i + 2]));
        i += 2;
    }
    return out;
}

std::vector<std::string_view> segments_of(std::string_view target) {
    std::vector<std::string_view> segments;
    for (auto path = path_of(target); !path.empty();) {
        path.remove_prefix(path.front() == '/' ? 1 : 0);
        auto end = path.find('/');
        if (auto segment = path.substr(0, end); !segment.empty()) segments.push_back(segment);
        path.remove_prefix(end == std::string_view::npos ? path.size() : end);
    }
    return segments;
}

std::multimap<std::string, std::string> query_of(std::string_view target) {
    std::multimap<std::string, std::string> query;
    auto mark = target.find('?');
    if (mark == std::string_view::npos) return query;
    auto text = target.substr(mark + 1);
    for (const auto& part : split(text.substr(0, text.find('#')), '&')) {
        auto sign = part.find('=');
        auto value = sign == std::string::npos ? std::string() : replaced(part.substr(sign + 1), "+", " ");
        query.emplace(decoded(replaced(part.substr(0, sign), "+", " ")), decoded(value));
    }
    return query;
}

bool matches(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path,
             Match& match) {
    auto rest = static_cast<std::size_t>(std::ranges::find_if(pattern, is_rest) - pattern.begin());
    bool open = rest < pattern.size();
    if (open ? path.size() < pattern.size() : path.size() != pattern.size()) return false;
    match = {};
    std::size_t more = path.size() - pattern.size();
    for (std::size_t i = 0, at = 0; i < pattern.size(); ++i, ++at) {
        if (i == rest) {
            take(pattern[i],
                 {path.begin() + static_cast<std::ptrdiff_t>(at),
                  path.begin() + static_cast<std::ptrdiff_t>(at + more + 1)},
                 match);
            at += more;
        } else if (is_value(pattern[i])) {
            take(pattern[i], {path[at]}, match);
        } else if (pattern[i] == decoded(path[at])) {
            match.shown += '/' + std::string(pattern[i]);
        } else {
            return false;
        }
    }
    return true;
}

std::string shown_path(const std::vector<std::string_view>& path) {
    std::string shown;
    for (auto segment : path) shown += '/' + replaced(decoded(segment), "/", "%2F");
    return shown;
}

}  // namespace tarn::api
