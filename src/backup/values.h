// Values as a backup has them: the same text from whichever store they come.
//
// Integers in digits, booleans 0 and 1, reals in the fewest digits that give the same number, times "2026-11-23 13:55:38.123" (UTC), dates
// "2026-11-23", texts in valid UTF-8, payloads unpacked, bytes as they are.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "store/control.h"
#include "store/schema.h"

namespace tarn::backup {

// `stored` as SQLite, DuckDB, MySQL or PostgreSQL write it.
std::string canonical(const Column& column, std::string_view stored);

// A canonical value for a control store.
ControlValue control_value(const Column& column, std::string_view canonical);

}  // namespace tarn::backup
