#include "http/budget.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <curl/curl.h>

#include "base/text.h"

namespace tarn::http {
namespace {

constexpr double hour = 3'600'000;
// Answers of one window may tell resets that differ by rounding.
constexpr Millis same_reset = 2'000;

std::optional<std::int64_t> number(std::string_view text) {
    text = trimmed(text);
    std::int64_t value = 0;
    auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || at == text.data()) return std::nullopt;
    return value;
}

// Seconds from now, seconds or milliseconds since 1970, or a date.
std::optional<Millis> read_reset(const std::string& text, Millis source_now) {
    constexpr std::int64_t ten_years = 315'360'000;
    constexpr std::int64_t as_millis = 100'000'000'000;
    Millis when = 0;
    if (text.find_first_of(":-") != std::string::npos) {
        return parse_time(text, when) == Parsed::ok ? std::optional(when) : std::nullopt;
    }
    auto value = number(text);
    if (!value || *value < 0) return std::nullopt;
    if (*value < ten_years) return source_now + *value * 1000;
    return *value < as_millis ? *value * 1000 : *value;
}

}  // namespace

Millis source_time(const Response& response, Millis now) {
    auto date = response.header("date");
    if (date.empty()) return now;
    auto seconds = curl_getdate(date.c_str(), nullptr);
    return seconds < 0 ? now : static_cast<Millis>(seconds) * 1000;
}

std::optional<Allowance> read_allowance(const RateRule& rule, const Response& response, Millis now) {
    if (rule.remaining_header.empty()) return std::nullopt;
    auto remaining = number(response.header(lower(rule.remaining_header)));
    if (!remaining) return std::nullopt;
    Allowance told{.remaining = std::max<std::int64_t>(*remaining, 0), .reset = now + rule.window};
    if (!rule.limit_header.empty())
        told.limit = number(response.header(lower(rule.limit_header))).value_or(-1);
    if (!rule.reset_header.empty()) {
        auto source_now = source_time(response, now);
        auto reset = read_reset(response.header(lower(rule.reset_header)), source_now);
        if (reset) told.reset = now + (*reset - source_now);
    }
    return told;
}

Bucket::Bucket(std::int64_t per_hour)
    : whole_(std::max(std::floor(static_cast<double>(per_hour) / 10), 1.0)),
      whole_per_milli_(std::max(static_cast<double>(per_hour) - whole_, 1.0) / hour),
      capacity_(whole_),
      per_milli_(whole_per_milli_),
      level_(whole_) {}

void Bucket::share(int among) {
    auto parts = static_cast<double>(std::max(among, 1));
    capacity_ = std::max(std::floor(whole_ / parts), 1.0);
    per_milli_ = whole_per_milli_ / parts;
    level_ = filled_ == 0 && among > 1 ? 0 : std::min(level_, capacity_);
}

void Bucket::fill(Millis now) {
    if (filled_ != 0 && now > filled_) {
        level_ = std::min(capacity_, level_ + static_cast<double>(now - filled_) * per_milli_);
    }
    filled_ = now;
}

Millis Bucket::wait(Millis now) {
    fill(now);
    // Filling in small steps loses the last bits.
    constexpr double one = 1 - 1e-6;
    if (level_ >= one) return 0;
    return static_cast<Millis>(std::ceil((1 - level_) / per_milli_));
}

std::int64_t Bucket::left(Millis now) {
    fill(now);
    return static_cast<std::int64_t>(level_ + 1e-6);
}

Millis Bucket::take(Millis now) {
    auto needed = wait(now);
    if (needed == 0) level_ -= 1;
    return needed;
}

Budget::Budget(const BudgetLimits& limits)
    : credentials_(static_cast<std::size_t>(std::max(limits.credentials, 1))),
      unknown_(limits.default_per_hour),
      window_(limits.window) {
    if (limits.per_hour > 0) limit_.emplace(limits.per_hour);
}

void Budget::begin_window(Credential& credential, Millis now) const {
    credential.remaining = credential.limit >= 0 ? credential.limit : credential.highest;
    credential.reset = now + window_;
    credential.guessed = true;
}

Millis Budget::wait_for(Credential& credential, Millis now) {
    if (now < credential.held) return credential.held - now;
    if (!credential.known) return limit_ ? 0 : unknown_.wait(now);
    if (now >= credential.reset) begin_window(credential, now);
    if (credential.remaining - credential.in_flight > 0) return 0;
    return std::max<Millis>(credential.reset - now, 1);
}

Budget::Turn Budget::take(Millis now) {
    if (now < held_) return {-1, held_ - now};
    auto shortest = std::numeric_limits<Millis>::max();
    auto count = static_cast<int>(credentials_.size());
    for (int i = 0; i < count; ++i) {
        int candidate = (next_ + i) % count;
        auto& credential = at(candidate);
        auto wait = wait_for(credential, now);
        if (wait == 0 && limit_) wait = limit_->take(now);
        if (wait == 0) {
            if (!limit_ && !credential.known) unknown_.take(now);
            ++credential.in_flight;
            next_ = (candidate + 1) % count;
            return {candidate, 0};
        }
        shortest = std::min(shortest, wait);
    }
    return {-1, shortest};
}

void Budget::answered(int credential, const std::optional<Allowance>& told, Millis now) {
    auto& mine = at(credential);
    --mine.in_flight;
    if (!told) {
        // It may well have been counted.
        if (mine.known && mine.remaining > 0) --mine.remaining;
        return;
    }
    if (told->reset <= now) return;
    if (told->limit >= 0) mine.limit = told->limit;
    mine.highest = std::max(mine.highest, told->remaining);
    bool other_window =
        !mine.known || mine.guessed || now >= mine.reset || told->reset > mine.reset + same_reset;
    if (other_window) {
        mine.known = true;
        mine.guessed = false;
        mine.remaining = told->remaining;
        mine.reset = told->reset;
    } else if (told->reset >= mine.reset - same_reset) {
        // Answers overtake each other: within one window the lowest is the newest.
        mine.remaining = std::min(mine.remaining, told->remaining);
        mine.reset = std::max(mine.reset, told->reset);
    }
}

std::int64_t Budget::left(Millis now) {
    if (now < held_) return 0;
    std::int64_t known = 0;
    bool any_unknown = false;
    for (auto& credential : credentials_) {
        if (now < credential.held) continue;
        any_unknown = any_unknown || !credential.known;
        if (!credential.known) continue;
        if (now >= credential.reset) begin_window(credential, now);
        known += std::max<std::int64_t>(credential.remaining - credential.in_flight, 0);
    }
    if (!limit_) return known + (any_unknown ? unknown_.left(now) : 0);
    return any_unknown ? limit_->left(now) : std::min(known, limit_->left(now));
}

void Budget::share(int among) {
    if (limit_) limit_->share(among);
    unknown_.share(among);
}

void Budget::give_back(int credential) { --at(credential).in_flight; }

void Budget::hold(int credential, Millis until) {
    at(credential).held = std::max(at(credential).held, until);
}

void Budget::hold_all(Millis until) { held_ = std::max(held_, until); }

}  // namespace tarn::http
