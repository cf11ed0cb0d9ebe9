// The text of a `.env` file: read as gotenv does, which Apache DevLake uses, and changed without touching other lines.
//
// A line is `KEY=value` or `KEY: value`, with optional `export`. An unquoted value ends at `#`; quotes are taken off; in double quotes `\n`,
// `\r` and `\x` are escapes. `$NAME` and `${NAME}` (upper case) stand for a variable of the process, else for an earlier line; not in single
// quotes and not behind a backslash. Names have no case. Other lines mean nothing. Of a name given twice the last line counts.
// Thread rule: pure functions but for the process environment and write_private_file(). Errors: terminal, with the file as place; none holds
// a value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::secrets {

using EnvValues = std::map<std::string, std::string, std::less<>>;                  // by name in upper case
using EnvChanges = std::map<std::string, std::optional<std::string>, std::less<>>;  // nullopt: take it out

EnvValues parse_env(std::string_view text);

// `text` with the changes: the line that counts gets the new value in its place, else one is added at the end; all other bytes stay.
// terminal: a value that no line can hold.
Result<std::string> changed_env(std::string_view text, const EnvChanges& changes);

// All of it or nothing, mode 0600, through a link to its target. Makes the folder where missing.
Result<> write_private_file(const std::string& file, const std::string& text);

}  // namespace tarn::secrets
