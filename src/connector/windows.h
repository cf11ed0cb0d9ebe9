// Windows of time: a list that the source cuts at a number of items is read in windows small enough.
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/time.h"

namespace tarn::connector {

// Both ends belong to it; whole seconds.
struct Span {
    Millis from = 0, to = 0;
};

// The earlier and the later half; nullopt for a single second.
std::optional<std::pair<Span, Span>> halves(Span span);
// From the second of `from` to that of `to`, at least one second.
Span whole_seconds(Millis from, Millis to);

std::string window_to_json(Millis from);
std::optional<Millis> window_from_json(const std::string& text);

}  // namespace tarn::connector
