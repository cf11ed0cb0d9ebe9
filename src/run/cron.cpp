#include "run/cron.h"

#include <charconv>
#include <chrono>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn::run {
namespace {

constexpr Millis second_millis = 1'000, minute_millis = 60'000, hour_millis = 3'600'000,
                 day_millis = 86'400'000;
constexpr int days_to_look = 5 * 366;

struct Bounds {
    const char* name;
    int least, most;
    std::vector<std::string> names;  // of least, least + 1, …
};

const std::array<Bounds, 5>& bounds() {
    static const std::array<Bounds, 5> all = {
        {{"minute", 0, 59, {}},
         {"hour", 0, 23, {}},
         {"day of month", 1, 31, {}},
         {"month",
          1,
          12,
          {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
         {"day of week", 0, 6, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}}};
    return all;
}

Failure wrong_cron(const std::string& message) {
    return fail(ErrorKind::bad_data, message, "cronConfig",
                "Five fields (minute, hour, day, month, day of week) such as '0 0 * * *', or '@daily'.");
}

Result<int> number_in(const std::string& text, const Bounds& field) {
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        if (lower(text) == field.names[i]) return field.least + static_cast<int>(i);
    }
    int value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < field.least || value > field.most)
        return wrong_cron(fmt::format("{}: '{}' is not within {} to {}", field.name, text.substr(0, 50),
                                      field.least, field.most));
    return value;
}

// One part of a list: `*`, `a`, `a-b`, each with a step behind a slash.
Result<> add_part(const std::string& part, const Bounds& field, std::bitset<64>& values) {
    auto slash = part.find('/');
    auto range = part.substr(0, slash);
    int step = 1;
    if (slash != std::string::npos) {
        auto text = part.substr(slash + 1);
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
        if (error != std::errc() || end != text.data() + text.size() || step < 1)
            return wrong_cron(fmt::format("{}: '{}' is no step", field.name, text.substr(0, 50)));
    }
    int from = field.least, to = field.most;
    if (range != "*" && range != "?") {
        auto dash = range.find('-');
        TARN_ASSIGN(from, number_in(range.substr(0, dash), field));
        // `5/15` goes on to the end of the field.
        if (dash != std::string::npos) {
            TARN_ASSIGN(to, number_in(range.substr(dash + 1), field));
        } else if (slash == std::string::npos) {
            to = from;
        }
        if (to < from) return wrong_cron(fmt::format("{}: '{}' goes backwards", field.name, range));
    }
    for (int value = from; value <= to; value += std::min(step, field.most + 1))
        values.set(static_cast<std::size_t>(value));
    return {};
}

// Go's durations: 1h30m, 90s, 500ms, 1.5h.
Result<Millis> duration_of(const std::string& text) {
    static const std::map<std::string, double> units = {
        {"ns", 1e-6},         {"us", 1e-3},         {"µs", 1e-3},      {"ms", 1},
        {"s", second_millis}, {"m", minute_millis}, {"h", hour_millis}};
    double sum = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        double value = 0;
        auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
        auto unit_at = static_cast<std::size_t>(end - text.data());
        auto unit_end = std::min(text.find_first_of("0123456789.", unit_at), text.size());
        auto unit = units.find(text.substr(unit_at, unit_end - unit_at));
        if (error != std::errc() || unit == units.end() || value < 0 || value > 1e9)
            return wrong_cron("'" + text.substr(0, 50) + "' is no duration such as 1h30m");
        sum += value * unit->second;
        at = unit_end;
    }
    if (text.empty() || sum > 1e14) return wrong_cron("'@every' needs a duration such as 1h30m");
    auto millis = static_cast<Millis>(sum);
    return std::max(millis - millis % second_millis, second_millis);
}

Result<std::string> without_zone(const std::string& line) {
    for (const std::string prefix : {"CRON_TZ=", "TZ="}) {
        if (!line.starts_with(prefix)) continue;
        auto end = std::min(line.find(' '), line.size());
        auto zone = lower(line.substr(prefix.size(), end - prefix.size()));
        if (zone != "utc" && zone != "etc/utc" && zone != "gmt" && !zone.empty())
            return wrong_cron("times are UTC; the time zone '" + zone.substr(0, 50) + "' is not supported");
        return std::string(trimmed(line.substr(end)));
    }
    return std::string(trimmed(line));
}

const std::map<std::string, std::string>& descriptors() {
    static const std::map<std::string, std::string> all = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"}};
    return all;
}

}  // namespace

Result<Cron> Cron::parse(const std::string& text) {
    Cron cron;
    TARN_ASSIGN(auto line, without_zone(std::string(trimmed(text))));
    if (line.starts_with("@every ")) {
        TARN_ASSIGN(cron.every_, duration_of(std::string(trimmed(line.substr(7)))));
        return cron;
    }
    if (line.starts_with('@')) {
        auto found = descriptors().find(line);
        if (found == descriptors().end()) return wrong_cron("'" + line.substr(0, 50) + "' is not known");
        line = found->second;
    }
    auto parts = split(replaced(line, "\t", " "), ' ');
    if (parts.size() != bounds().size())
        return wrong_cron(fmt::format("'{}' has {} fields", line.substr(0, 100), parts.size()));
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto items = split(parts[i], ',');
        if (items.empty()) return wrong_cron(fmt::format("{}: is empty", bounds()[i].name));
        for (const auto& item : items) TARN_TRY(add_part(item, bounds()[i], cron.fields_[i]));
    }
    auto any = [](const std::string& part) { return part.starts_with('*') || part.starts_with('?'); };
    cron.any_day_ = any(parts[day]);
    cron.any_weekday_ = any(parts[weekday]);
    return cron;
}

bool Cron::on_day(Millis midnight) const {
    std::chrono::sys_days date{std::chrono::days{midnight / day_millis}};
    std::chrono::year_month_day civil{date};
    if (!fields_[month].test(static_cast<unsigned>(civil.month()))) return false;
    bool of_month = fields_[day].test(static_cast<unsigned>(civil.day()));
    bool of_week = fields_[weekday].test(std::chrono::weekday{date}.c_encoding());
    return any_day_ || any_weekday_ ? of_month && of_week : of_month || of_week;
}

std::optional<Millis> Cron::within_day(Millis midnight, Millis from) const {
    for (Millis time = from; time < midnight + day_millis;) {
        auto of_day = time - midnight;
        if (!fields_[hour].test(static_cast<std::size_t>(of_day / hour_millis))) {
            time += hour_millis - of_day % hour_millis;
        } else if (!fields_[minute].test(static_cast<std::size_t>(of_day % hour_millis / minute_millis))) {
            time += minute_millis;
        } else {
            return time;
        }
    }
    return std::nullopt;
}

std::optional<Millis> Cron::next(Millis time) const {
    if (every_ > 0) return time - time % second_millis + every_;
    Millis from = time - time % minute_millis + minute_millis;
    Millis midnight = from - from % day_millis;
    for (int days = 0; days < days_to_look; ++days, midnight += day_millis) {
        if (!on_day(midnight)) continue;
        if (auto found = within_day(midnight, std::max(from, midnight))) return found;
    }
    return std::nullopt;
}

}  // namespace tarn::run
