// CSV reading: comma, double quotes, LF or CRLF (CRLF inside a quoted field counts as LF), empty lines do not count.
// Thread rule: pure function.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tarn {

struct Csv {
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows;  // each as long as the header
};

// bad_data with the line: a quote that is not closed, a row longer than the header. Shorter rows are filled with "".
Result<Csv> parse_csv(const std::string& text);

}  // namespace tarn
