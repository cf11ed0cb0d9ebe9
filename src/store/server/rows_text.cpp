#include "store/server/rows_text.h"

#include <array>

namespace tarn::server {
namespace {

// The letter after the backslash; 0 where the character stands for itself.
constexpr char escape_of(char c) {
    switch (c) {
        case '\\': return '\\';
        case '\t': return 't';
        case '\n': return 'n';
        case '\r': return 'r';
        default: return 0;
    }
}

char character_of(char escape) {
    switch (escape) {
        case 't': return '\t';
        case 'n': return '\n';
        case 'r': return '\r';
        case '0': return '\0';
        default: return escape;
    }
}

constexpr std::array<bool, 256> stands_for_itself = [] {
    std::array<bool, 256> out{};
    for (std::size_t c = 1; c < out.size(); ++c) out[c] = escape_of(static_cast<char>(c)) == 0;
    return out;
}();

void append_escaped(std::string& out, std::string_view value, bool keep_nul) {
    for (std::size_t at = 0; at < value.size(); ++at) {
        auto end = at;
        while (end < value.size() && stands_for_itself[static_cast<unsigned char>(value[end])]) ++end;
        out.append(value, at, end - at);
        at = end;
        if (at == value.size()) return;
        if (value[at] != '\0') {
            out += '\\';
            out += escape_of(value[at]);
        } else if (keep_nul) {
            out += "\\0";
        }
    }
}

// One field from `at` on; leaves `at` behind its tab or newline.
Result<bool> take_field(std::string_view rows, std::size_t& at, std::string& value, bool& is_null) {
    value.clear();
    is_null = rows.substr(at, 2) == "\\N";
    if (is_null) at += 2;
    while (at < rows.size() && rows[at] != '\t' && rows[at] != '\n') {
        if (rows[at] == '\\' && at + 1 < rows.size()) {
            value += character_of(rows[at + 1]);
            at += 2;
        } else {
            value += rows[at++];
        }
    }
    if (at == rows.size()) return fail(ErrorKind::bug, "a row of a bulk text is not ended");
    return rows[at++] == '\n';
}

}  // namespace

void RowsText::separate() {
    if (!first_) rows_ += '\t';
    first_ = false;
}

void RowsText::text(std::string_view value) {
    separate();
    append_escaped(rows_, value, false);
}

void RowsText::bytes(std::string_view value) {
    separate();
    if (engine_ == Engine::mysql) {
        append_escaped(rows_, value, true);
        return;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    rows_ += "\\\\x";
    for (char c : value) {
        auto byte = static_cast<unsigned char>(c);
        rows_ += digits[byte >> 4U];
        rows_ += digits[byte & 15U];
    }
}

void RowsText::null() {
    separate();
    rows_ += "\\N";
}

void RowsText::end_row() {
    rows_ += '\n';
    first_ = true;
}

Result<> each_row(std::string_view rows, const std::function<Result<>(const std::vector<Field>&)>& row) {
    std::size_t at = 0;
    std::vector<std::string> values;
    std::vector<bool> nulls;
    while (at < rows.size()) {
        values.clear();
        nulls.clear();
        for (bool last = false; !last;) {
            std::string value;
            bool is_null = false;
            TARN_ASSIGN(last, take_field(rows, at, value, is_null));
            values.push_back(std::move(value));
            nulls.push_back(is_null);
        }
        std::vector<Field> fields;
        for (std::size_t i = 0; i < values.size(); ++i)
            fields.push_back(nulls[i] ? Field{} : Field{values[i]});
        TARN_TRY(row(fields));
    }
    return {};
}

}  // namespace tarn::server
