#include "backup/values.h"

#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn::backup {
namespace {

constexpr std::size_t date_size = 10, second_size = 19, milli_size = 23;

// "2026-11-23 13:55:38.1+00" and "2026-11-23 13:55:38" -> "2026-11-23 13:55:38.100", "….000". Other texts stay: infinity, years before Christ.
std::string canonical_time(std::string_view text) {
    if (text.ends_with("+00")) text.remove_suffix(3);
    bool plain = text.size() >= second_size && text[4] == '-' && text[10] == ' ' && text[16] == ':' &&
                 (text.size() == second_size || text[second_size] == '.');
    if (!plain) return std::string(text);
    std::string out(text.substr(0, milli_size));
    if (out.size() == second_size) out += '.';
    out.append(milli_size - out.size(), '0');
    return out;
}

template <class Number>
std::string shortest(std::string_view text) {
    Number number = 0;
    auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    bool whole = read.ec == std::errc{} && read.ptr == text.data() + text.size();
    return whole ? fmt::format("{}", number) : std::string(text);
}

bool is_true(std::string_view text) { return text != "0" && text != "f" && text != "false"; }

}  // namespace

std::string canonical(const Column& column, std::string_view stored) {
    switch (column.type) {
        case ColumnType::datetime: return canonical_time(stored);
        case ColumnType::date: return std::string(stored.substr(0, date_size));
        case ColumnType::boolean: return is_true(stored) ? "1" : "0";
        case ColumnType::real8: return shortest<double>(stored);
        case ColumnType::real4: return shortest<float>(stored);
        case ColumnType::varchar:
        case ColumnType::text:
        case ColumnType::json:
        case ColumnType::payload: return valid_utf8(stored);
        default: return std::string(stored);
    }
}

ControlValue control_value(const Column& column, std::string_view canonical) {
    const char* end = canonical.data() + canonical.size();
    switch (column.type) {
        case ColumnType::bigint:
        case ColumnType::ubigint:
        case ColumnType::integer:
        case ColumnType::smallint:
        case ColumnType::boolean: {
            std::int64_t number = 0;
            auto read = std::from_chars(canonical.data(), end, number);
            if (read.ec == std::errc{} && read.ptr == end) return number;
            break;
        }
        case ColumnType::real8:
        case ColumnType::real4: {
            double number = 0;
            auto read = std::from_chars(canonical.data(), end, number);
            if (read.ec == std::errc{} && read.ptr == end) return number;
            break;
        }
        default: break;
    }
    return std::string(canonical);
}

}  // namespace tarn::backup
