// What DuckDB statements of the writers change, told from their text.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tarn::server {

// Statements separated by semicolons outside of quotes and comments; without empty ones.
std::vector<std::string> statements_of(std::string_view sql);

enum class Verb { other, insert, erase, update };

struct Change {
    Verb verb = Verb::other;
    std::string table;  // without quotes and "main."; empty for a temporary table written as temp.x
};

// A statement that starts with insert into, delete from or update; all else is `other`.
Change change_of(std::string_view statement);

// Of an update: the columns that it sets, without quotes.
std::vector<std::string> columns_set(std::string_view update);

}  // namespace tarn::server
