// Templates of connector.yaml: text with `{name}` or `{name:layout}`.
//
// A placeholder is a name directly within braces; other braces are text. Layouts: of times (`since`, `from`, `to`) `epoch`, `epoch_ms` or a
// strftime pattern, in UTC (default RFC 3339); of other values in a path `raw` (not encoded) and `each WORD` (the word before each segment), in a
// JSON body `number`.
// Thread rule: pure functions. Errors: bad_data for a name without a value.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace tarn::connector {

struct Piece {
    std::string text;  // literal text, or the placeholder's name
    std::string layout;
    bool placeholder = false;
};

std::vector<Piece> pieces_of(std::string_view text);
bool has_placeholder(std::string_view text, std::string_view name);

// What placeholders stand for. Names not found here are looked up in `outer`.
struct Values {
    const Values* outer = nullptr;
    std::map<std::string, std::string, std::less<>> texts;
    std::map<std::string, Millis, std::less<>> times;  // 0: no time, which is empty text
};

struct Filled {
    std::string text;
    bool left_empty = false;  // a placeholder's value was empty
};

enum class Encoding { none, path };

Result<Filled> fill(std::string_view text, const Values& values, Encoding encoding = Encoding::none);

// A JSON body: a string that is nothing but one placeholder becomes its value (page, size, offset and `:number` as number), and its member is
// left out where the value is empty. A body that is no JSON is filled as text.
Result<std::string> fill_body(const std::string& body, const Values& values);

}  // namespace tarn::connector
