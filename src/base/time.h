// Times: milliseconds since 1970-01-01T00:00:00Z, as int64.
//
// parse_time accepts every layout that the sources send (see the list in time.cpp), with or without an offset (none means
// UTC); text that stands for "no time" ("", "null", "0000-00-00", "0000-00-00 00:00:00") is Parsed::none.
// Thread rule: all functions may be called from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn {

using Millis = std::int64_t;

Millis now_millis();

enum class Parsed { ok, none, bad };

// Fractions beyond microseconds are cut. Microseconds since the epoch.
Parsed parse_time_micros(std::string_view text, std::int64_t& micros);
Parsed parse_time(std::string_view text, Millis& millis);

// 2026-11-23T13:55:38Z
std::string format_rfc3339(Millis millis);
// 2026-11-23T13:55:38.123+00:00, as DevLake's API and snapshots write it
std::string format_millis(Millis millis);
// 2026-11-23 13:55:38.123, as SQL literals
std::string format_sql(Millis millis);

// "90s", "15m", "2h", "30d" -> milliseconds; -1 where the text is not such a duration
Millis parse_duration(std::string_view text);

}  // namespace tarn
