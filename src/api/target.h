// Request targets against route patterns.
// Thread rule: pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::api {

// Segments of a target's path, not decoded; empty ones (a trailing slash) are left out.
std::vector<std::string_view> segments_of(std::string_view target);
// %2F within a segment does not split it, so segments are decoded one by one.
std::string decoded(std::string_view segment);
// Pairs behind the question mark, decoded.
std::multimap<std::string, std::string> query_of(std::string_view target);

struct Match {
    std::map<std::string, std::string> values;  // decoded
    std::string rest;                           // of a `{name...}`, not decoded
    std::string shown;  // the path with its segments decoded, where a slash within a value is %2F
};

// Whether `path` fits; a pattern's `{name...}` takes one segment or more, and what stands behind it must fit the end.
bool matches(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path,
             Match& match);
// Match::shown of a path that fits no pattern
std::string shown_path(const std::vector<std::string_view>& path);

}  // namespace tarn::api
