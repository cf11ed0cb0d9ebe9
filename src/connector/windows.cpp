#include "connector/windows.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace tarn::connector {
namespace {

constexpr Millis second = 1000;

Millis floor_second(Millis time) { return time - (time % second + second) % second; }

}  // namespace

Span whole_seconds(Millis from, Millis to) {
    from = floor_second(from);
    return {from, std::max(from, floor_second(to))};
}

std::optional<std::pair<Span, Span>> halves(Span span) {
    if (span.to <= span.from) return std::nullopt;
    Millis middle = floor_second(span.from + (span.to - span.from) / 2);
    return std::pair{Span{span.from, middle}, Span{middle + second, span.to}};
}

std::string window_to_json(Millis from) { return nlohmann::json{{"from", from}}.dump(); }

std::optional<Millis> window_from_json(const std::string& text) {
    auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("from") || !json["from"].is_number_integer()) return std::nullopt;
    return json["from"].get<Millis>();
}

}  // namespace tarn::connector
