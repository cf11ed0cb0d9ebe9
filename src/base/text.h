// Small text helpers. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tarn {

std::string_view trimmed(std::string_view text);
std::vector<std::string> split(std::string_view text,
                               char separator);  // parts are trimmed, empty ones left out
std::string join(const std::vector<std::string>& parts, std::string_view separator);
bool contains(const std::vector<std::string>& list, std::string_view item);
std::string lower(std::string_view text);
std::string replaced(std::string text, std::string_view from, std::string_view to);

// 'it''s' and "name", for SQL of DuckDB, SQLite and PostgreSQL
std::string sql_text(std::string_view text);
std::string sql_name(std::string_view name);

// Whole file; bad_data where it cannot be read is the caller's to say, so this returns false.
bool read_file(const std::string& path, std::string& out);

// Invalid UTF-8 sequences become U+FFFD; NUL stays.
std::string valid_utf8(std::string_view bytes);

}  // namespace tarn
