#include "base/time.h"

#include <array>
#include <chrono>
#include <limits>

#include <fmt/format.h>

namespace tarn {
namespace {

constexpr std::int64_t micros_per_second = 1'000'000;
constexpr std::int64_t millis_per_second = 1'000;

std::int64_t days_from_civil(int year, unsigned month, unsigned day) {
    using namespace std::chrono;
    return sys_days{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)}
        .time_since_epoch()
        .count();
}

// Reads digits one field after the other; every take_* leaves the position behind what it read.
class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool take_number(int min_digits, int max_digits, int& out) {
        int value = 0;
        int digits = 0;
        while (digits < max_digits && pos_ < text_.size() && text_[pos_] >= '0' && text_[pos_] <= '9') {
            value = value * 10 + (text_[pos_] - '0');
            ++pos_;
            ++digits;
        }
        out = value;
        return digits >= min_digits;
    }

    bool take(char c) {
        if (pos_ < text_.size() && text_[pos_] == c) {
            ++pos_;
            return true;
        }
        return false;
    }

    bool take_any(std::string_view set, char& found) {
        if (pos_ < text_.size() && set.find(text_[pos_]) != std::string_view::npos) {
            found = text_[pos_++];
            return true;
        }
        return false;
    }

    // ".123456789": digits beyond microseconds are cut
    bool take_fraction(std::int64_t& micros) {
        std::int64_t scale = micros_per_second / 10;
        std::size_t start = pos_;
        while (pos_ < text_.size() && text_[pos_] >= '0' && text_[pos_] <= '9') {
            micros += (text_[pos_] - '0') * scale;
            scale /= 10;
            ++pos_;
        }
        return pos_ > start;
    }

    [[nodiscard]] bool done() const { return pos_ == text_.size(); }

  private:
    std::string_view text_;
    std::size_t pos_ = 0;
};

bool take_date(Reader& in, int& year, int& month, int& day) {
    if (!in.take_number(4, 4, year)) return false;
    char separator = 0;
    if (in.take_any("-/", separator)) {
        return in.take_number(1, 2, month) && in.take(separator) && in.take_number(1, 2, day);
    }
    return in.take_number(2, 2, month) && in.take_number(2, 2, day);
}

bool take_offset(Reader& in, int& seconds) {
    char sign = 0;
    in.take(' ');
    if (in.take('Z') || in.take('z')) return true;
    if (!in.take_any("+-", sign)) return true;
    int hours = 0;
    int minutes = 0;
    if (!in.take_number(2, 2, hours)) return false;
    in.take(':');
    if (!in.done() && !in.take_number(2, 2, minutes)) return false;
    seconds = (hours * 60 + minutes) * 60;
    if (sign == '-') seconds = -seconds;
    return hours <= 23 && minutes <= 59;
}

bool take_clock(Reader& in, int& hour, int& minute, int& second, std::int64_t& micros) {
    if (!in.take_number(1, 2, hour) || !in.take(':') || !in.take_number(2, 2, minute)) return false;
    if (in.take(':')) {
        if (!in.take_number(2, 2, second)) return false;
        char mark = 0;
        if (in.take_any(".,", mark) && !in.take_fraction(micros)) return false;
    }
    return hour <= 24 && minute <= 59 && second <= 60;
}

bool is_no_time(std::string_view text) {
    static constexpr std::array<std::string_view, 5> words = {"", "null", "NULL", "0000-00-00", "长期"};
    for (auto word : words) {
        if (text == word) return true;
    }
    return text.starts_with("0000-00-00");
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '"')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '"')) text.remove_suffix(1);
    return text;
}

struct Civil {
    int year;
    unsigned month, day;
    int hour, minute, second, milli;
};

Civil to_civil(Millis millis) {
    using namespace std::chrono;
    sys_time<milliseconds> point{milliseconds{millis}};
    auto day = floor<days>(point);
    year_month_day date{day};
    hh_mm_ss clock{point - day};
    return {int(date.year()),
            unsigned(date.month()),
            unsigned(date.day()),
            static_cast<int>(clock.hours().count()),
            static_cast<int>(clock.minutes().count()),
            static_cast<int>(clock.seconds().count()),
            static_cast<int>(clock.subseconds().count())};
}

}  // namespace

Millis now_millis() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

Parsed parse_time_micros(std::string_view text, std::int64_t& micros) {
    text = trim(text);
    if (is_no_time(text)) return Parsed::none;
    Reader in(text);
    int year = 0;
    int month = 0;
    int day = 0;
    if (!take_date(in, year, month, day)) return Parsed::bad;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int offset = 0;
    std::int64_t fraction = 0;
    char separator = 0;
    if (in.take_any("Tt ", separator)) {
        if (!take_clock(in, hour, minute, second, fraction) || !take_offset(in, offset)) return Parsed::bad;
    }
    auto date = std::chrono::year{year} / month / day;
    if (!in.done() || !date.ok()) return Parsed::bad;
    std::int64_t seconds =
        days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day)) * 86400 +
        hour * 3600 + minute * 60 + second - offset;
    micros = seconds * micros_per_second + fraction;
    return Parsed::ok;
}

Parsed parse_time(std::string_view text, Millis& millis) {
    std::int64_t micros = 0;
    Parsed parsed = parse_time_micros(text, micros);
    // floor, so that times before 1970 are cut like later ones
    if (parsed == Parsed::ok) millis = micros >= 0 ? micros / 1000 : -((-micros + 999) / 1000);
    return parsed;
}

std::string format_rfc3339(Millis millis) {
    Civil c = to_civil(millis);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute,
                       c.second);
}

std::string format_millis(Millis millis) {
    Civil c = to_civil(millis);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+00:00", c.year, c.month, c.day, c.hour,
                       c.minute, c.second, c.milli);
}

std::string format_sql(Millis millis) {
    Civil c = to_civil(millis);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", c.year, c.month, c.day, c.hour, c.minute,
                       c.second, c.milli);
}

Millis parse_duration(std::string_view text) {
    Reader in(text);
    int value = 0;
    char unit = 0;
    if (!in.take_number(1, 9, value) || !in.take_any("smhd", unit) || !in.done()) return -1;
    switch (unit) {
        case 's': return value * millis_per_second;
        case 'm': return value * 60 * millis_per_second;
        case 'h': return value * 3600 * millis_per_second;
        default: return value * 86400 * millis_per_second;
    }
}

}  // namespace tarn
