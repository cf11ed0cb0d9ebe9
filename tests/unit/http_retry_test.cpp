#include "http/retry.h"

#include <gtest/gtest.h>

namespace tarn::http {
namespace {

using Act = Decision::Act;
using Scope = Decision::Scope;
using Headers = std::multimap<std::string, std::string>;

constexpr Millis now = 1'700'000'000'000;

RetryRules github() {
    RetryRules rules;
    rules.rate = {.limit_header = "X-RateLimit-Limit",
                  .remaining_header = "X-RateLimit-Remaining",
                  .reset_header = "X-RateLimit-Reset",
                  .secondary_statuses = {403, 429},
                  .secondary_body = "secondary rate limit"};
    return rules;
}

Outcome answered(int status, Headers headers = {}, std::string body = {}) {
    Outcome outcome;
    outcome.response = {
        .status = status, .headers = std::move(headers), .body = std::move(body), .url = "http://h/p?t=s"};
    return outcome;
}

Outcome failed(Trouble trouble) {
    Outcome outcome;
    outcome.trouble = trouble;
    outcome.error = Error{ErrorKind::transient, "broken", "http://h/p", "Check"};
    return outcome;
}

Decision decided(const Outcome& outcome, Tries tries = {}, double jitter = 1) {
    return decide(github(), outcome, tries, now, jitter);
}

TEST(HttpRetry, FinalAnswers) {
    for (int status : {200, 204, 304, 400, 401, 403, 404, 410, 422, 501}) {
        EXPECT_EQ(decided(answered(status)).act, Act::answer) << status;
    }
}

TEST(HttpRetry, TemporaryAnswersAndTroubleAreRetried) {
    for (int status : {429, 500, 502, 503, 504}) {
        auto decision = decided(answered(status));
        EXPECT_EQ(decision.act, Act::again) << status;
        EXPECT_EQ(decision.scope, Scope::request);
        EXPECT_EQ(decision.pause, 1'000);
        auto last = decided(answered(status), {.retries = 3});
        EXPECT_EQ(last.act, Act::give_up);
        EXPECT_EQ(last.error.kind, ErrorKind::transient);
        EXPECT_EQ(last.error.place, "http://h/p");
    }
    EXPECT_EQ(decided(failed(Trouble::network)).act, Act::again);
    EXPECT_EQ(decided(failed(Trouble::unreachable)).act, Act::again);
    EXPECT_EQ(decided(failed(Trouble::refused)).act, Act::give_up);
    auto last = decided(failed(Trouble::network), {.retries = 3});
    EXPECT_EQ(last.act, Act::give_up);
    EXPECT_EQ(last.error.message, "broken");
}

TEST(HttpRetry, PausesGrowWithJitterUpToAMinute) {
    auto rules = github();
    rules.retries = 40;
    auto pause = [&](int retries, double jitter) {
        return decide(rules, answered(502), {.retries = retries}, now, jitter).pause;
    };
    EXPECT_EQ(pause(0, 0), 500);
    EXPECT_EQ(pause(3, 1), 8'000);
    EXPECT_EQ(pause(3, 0.5), 6'000);
    EXPECT_EQ(pause(39, 1), 60'000);
}

TEST(HttpRetry, RetryAfterIsObeyed) {
    EXPECT_EQ(decided(answered(503, {{"retry-after", "7"}})).pause, 7'000);
    EXPECT_EQ(decided(answered(503, {{"retry-after", "Tue, 14 Nov 2023 22:13:50 GMT"}})).pause, 30'000);
    EXPECT_EQ(decided(answered(503, {{"retry-after", "Tue, 14 Nov 2023 22:13:50 GMT"},
                                     {"date", "Tue, 14 Nov 2023 22:13:30 GMT"}}))
                  .pause,
              20'000);
    EXPECT_EQ(decided(answered(503, {{"retry-after", "Mon, 13 Nov 2023 22:13:50 GMT"}})).pause, 0);
    EXPECT_EQ(decided(answered(503, {{"retry-after", "nonsense"}})).pause, 1'000);
    EXPECT_EQ(decided(answered(503, {{"retry-after", "7201"}})).act, Act::give_up);
}

TEST(HttpRetry, PrimaryLimitPausesTheCredentialAndIsNoRetry) {
    Headers used_up = {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1700000090"}};
    for (int status : {403, 429}) {
        auto decision = decided(answered(status, used_up), {.retries = 3});
        EXPECT_EQ(decision.act, Act::again);
        EXPECT_EQ(decision.scope, Scope::credential);
        EXPECT_EQ(decision.pause, 90'000);
    }
    EXPECT_EQ(decided(answered(403, {{"x-ratelimit-remaining", "10"}})).act, Act::answer);
    used_up.emplace("retry-after", "100");
    EXPECT_EQ(decided(answered(403, used_up)).pause, 100'000);
    auto plain = decided(answered(429, {{"retry-after", "5"}}), {.retries = 3});
    EXPECT_EQ(plain.scope, Scope::credential);
    EXPECT_EQ(plain.pause, 5'000);
}

TEST(HttpRetry, SecondaryLimitPausesTheClient) {
    const std::string body = R"({"message": "You have exceeded a Secondary Rate Limit."})";
    auto decision = decided(answered(403, {{"retry-after", "30"}}, body), {.retries = 3});
    EXPECT_EQ(decision.act, Act::again);
    EXPECT_EQ(decision.scope, Scope::client);
    EXPECT_EQ(decision.pause, 30'000);
    EXPECT_EQ(decided(answered(403, {}, body)).pause, 60'000);
    EXPECT_EQ(decided(answered(403, {}, body), {.limits = 2}).pause, 240'000);
    EXPECT_EQ(decided(answered(403, {}, body), {.limits = 9}).pause, 900'000);
    EXPECT_EQ(decided(answered(403, {}, "Resource not accessible")).act, Act::answer);
    EXPECT_EQ(decided(answered(403, {}, body), {.limits = 30, .limited = 21'600'000}).act, Act::give_up);
}

}  // namespace
}  // namespace tarn::http
