// CSV reading: comma, double quotes, LF or CRLF (CRLF inside a quoted field counts as LF), empty lines and a byte order mark do not count.
// Thread rule: pure function.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tarn {

struct Csv {
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows;  // each as long as the header
    std::vector<int> lines;                      // where each row starts, the first line is 1
    int short_line = 0;  // of the first row with fewer fields than the header; 0: there is none
};

// bad_data with the line: a quote that is not closed, a row longer than the header. Shorter rows are filled with "".
Result<Csv> parse_csv(const std::string& text);

// RFC 4180: a field that needs quotes gets them. nullopt is an empty field, an empty text is "".
std::string csv_line(const std::vector<std::optional<std::string>>& fields);

}  // namespace tarn
