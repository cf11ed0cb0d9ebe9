#include "http/retry.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <curl/curl.h>

#include "base/text.h"
#include "http/budget.h"
#include "http/url.h"

namespace tarn::http {
namespace {

using Act = Decision::Act;
using Scope = Decision::Scope;

constexpr Millis longest_retry_pause = 60'000;
// A limit that does not say how long: a minute, then longer, up to a quarter of an hour (with first_pause = 1
// s).
constexpr Millis limit_pause_factor = 60;
constexpr Millis longest_unsaid_limit_pause = 900'000;
// A request that meets limits for this long is not served: somebody else spends the budget, or the limit has
// no end.
constexpr Millis longest_limited = 21'600'000;
// A rule's text stands at the start of the answer; the rest may be long.
constexpr std::size_t searched_body = 4'096;

Millis growing(Millis first, int times, Millis longest) {
    double pause = static_cast<double>(first) * std::exp2(std::min(times, 30));
    return static_cast<Millis>(std::min(pause, static_cast<double>(longest)));
}

bool is_secondary(const RateRule& rule, const Response& response) {
    if (std::ranges::find(rule.secondary_statuses, response.status) == rule.secondary_statuses.end())
        return false;
    return lower(response.body.substr(0, searched_body)).find(rule.secondary_body) != std::string::npos;
}

bool is_temporary(int status) {
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

Decision give_up(ErrorKind kind, std::string message, const Outcome& outcome, std::string next_step) {
    Decision decision{.act = Act::give_up};
    decision.error = Error{kind, std::move(message), shown_url(outcome.response.url), std::move(next_step)};
    return decision;
}

Decision limit(Scope scope, Millis pause, const Outcome& outcome, const Tries& tries) {
    if (tries.limited + pause <= longest_limited || pause > longest_limit_pause) {
        return {.act = Act::again, .scope = scope, .pause = std::max<Millis>(pause, 1), .error = {}};
    }
    return give_up(ErrorKind::transient, "the source's limit stopped this request for hours", outcome,
                   "Run again later, or use a token of its own.");
}

Decision retry(const RetryRules& rules, const Outcome& outcome, const Tries& tries, Millis now,
               double jitter) {
    auto asked = retry_after(outcome.response, now);
    bool told_too_long = asked && *asked > longest_limit_pause;
    if (tries.retries >= rules.retries || told_too_long) {
        if (outcome.trouble != Trouble::none) return {.act = Act::give_up, .error = outcome.error};
        auto message = "the source answered " + std::to_string(outcome.response.status);
        if (tries.retries > 0) message += ", also after " + std::to_string(tries.retries) + " retries";
        return give_up(ErrorKind::transient, std::move(message), outcome, "Run again later.");
    }
    auto grown = static_cast<double>(growing(rules.first_pause, tries.retries, longest_retry_pause));
    auto pause = static_cast<Millis>(grown * (0.5 + jitter / 2));
    return {.act = Act::again, .scope = Scope::request, .pause = asked.value_or(pause), .error = {}};
}

}  // namespace

std::optional<Millis> retry_after(const Response& response, Millis now) {
    auto text = response.header("retry-after");
    if (text.empty()) return std::nullopt;
    double seconds = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error == std::errc()) {
        return seconds >= 0 ? std::optional(static_cast<Millis>(std::min(seconds, 1e9) * 1000))
                            : std::nullopt;
    }
    auto date = curl_getdate(text.c_str(), nullptr);
    if (date < 0) return std::nullopt;
    return std::max<Millis>(static_cast<Millis>(date) * 1000 - source_time(response, now), 0);
}

Error limit_too_long(const std::string& place, Millis until) {
    return Error{ErrorKind::transient, "the source's limit is used up until " + format_rfc3339(until), place,
                 "Run again after that time, or add a token."};
}

Decision decide(const RetryRules& rules, const Outcome& outcome, const Tries& tries, Millis now,
                double jitter) {
    const auto& response = outcome.response;
    if (outcome.trouble == Trouble::refused) return {.act = Act::give_up, .error = outcome.error};
    if (outcome.trouble != Trouble::none) return retry(rules, outcome, tries, now, jitter);

    auto asked = retry_after(response, now);
    auto told = read_allowance(rules.rate, response, now);
    bool used_up = told && told->remaining == 0;
    Millis until_reset = used_up ? std::max<Millis>(told->reset - now, 0) : 0;
    auto unsaid = growing(rules.first_pause * limit_pause_factor, tries.limits, longest_unsaid_limit_pause);
    if (is_secondary(rules.rate, response)) {
        return limit(Scope::client, asked.value_or(until_reset > 0 ? until_reset : unsaid), outcome, tries);
    }
    if (used_up && (response.status == 403 || response.status == 429)) {
        // Both may be told; before the later one it would be refused again.
        auto pause = std::max(asked.value_or(0), until_reset);
        return limit(Scope::credential, pause > 0 ? pause : unsaid, outcome, tries);
    }
    if (response.status == 429 && asked) return limit(Scope::credential, *asked, outcome, tries);
    if (is_temporary(response.status)) return retry(rules, outcome, tries, now, jitter);
    return {};
}

}  // namespace tarn::http
