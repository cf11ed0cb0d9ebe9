#include "http/budget.h"

#include <gtest/gtest.h>

namespace tarn::http {
namespace {

constexpr Millis start = 1'700'000'000'000;
constexpr Millis hour = 3'600'000;

Allowance left(std::int64_t remaining, Millis reset, std::int64_t limit = -1) {
    return {.limit = limit, .remaining = remaining, .reset = reset};
}

int taken(Budget& budget, Millis now, int most = 100'000) {
    int count = 0;
    while (count < most && budget.take(now).credential >= 0) ++count;
    return count;
}

TEST(HttpBudget, SpendsWhatIsLeftAndWaitsForTheReset) {
    Budget budget({});
    ASSERT_EQ(budget.take(start).credential, 0);
    budget.answered(0, left(5, start + 60'000, 50), start);
    EXPECT_EQ(taken(budget, start), 5);
    EXPECT_EQ(budget.take(start + 10'000).wait, 50'000);
    for (int i = 4; i >= 0; --i) budget.answered(0, left(i, start + 60'000, 50), start + 1);
    EXPECT_EQ(taken(budget, start + 59'999), 0);
    // A new window: as full as the source said, until it says otherwise.
    EXPECT_EQ(taken(budget, start + 60'000), 50);
    budget.answered(0, left(3, start + 60'000 + hour, 50), start + 60'001);
    EXPECT_EQ(taken(budget, start + 60'002), 0);
}

TEST(HttpBudget, OvertakenAnswersDoNotRaiseIt) {
    Budget budget({});
    for (int i = 0; i < 4; ++i) budget.take(start);
    budget.answered(0, left(1, start + 60'000), start);
    budget.answered(0, left(3, start + 61'000), start);   // older; its reset was rounded
    budget.answered(0, left(40, start + 30'000), start);  // of another, shorter window
    budget.answered(0, std::nullopt, start);              // may have cost one
    EXPECT_EQ(taken(budget, start), 0);
    EXPECT_EQ(budget.take(start).wait, 61'000);
}

TEST(HttpBudget, TokensInTurnAndOnlyThoseWithBudget) {
    Budget budget({.credentials = 3});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(budget.take(start).credential, i);
    budget.answered(0, left(0, start + 50'000), start);
    budget.answered(1, left(2, start + 70'000), start);
    budget.answered(2, left(1, start + 60'000), start);
    EXPECT_EQ(budget.take(start).credential, 1);
    EXPECT_EQ(budget.take(start).credential, 2);
    EXPECT_EQ(budget.take(start).credential, 1);
    auto turn = budget.take(start);
    EXPECT_EQ(turn.credential, -1);
    EXPECT_EQ(turn.wait, 50'000);
    budget.give_back(2);
    EXPECT_EQ(budget.take(start).credential, 2);
}

TEST(HttpBudget, TellsWhatIsLeft) {
    Budget budget({.default_per_hour = 100, .credentials = 2});
    EXPECT_EQ(budget.left(start), 10);
    for (int i = 0; i < 2; ++i) budget.take(start);
    budget.answered(0, left(5, start + 50'000), start);
    budget.answered(1, left(7, start + 60'000), start);
    EXPECT_EQ(budget.left(start), 12);
    budget.take(start);
    EXPECT_EQ(budget.left(start), 11);
    budget.hold(1, start + 1'000);
    EXPECT_EQ(budget.left(start), 4);
    budget.hold_all(start + 500);
    EXPECT_EQ(budget.left(start), 0);
    Budget limited({.per_hour = 30});
    EXPECT_EQ(limited.left(start), 3);
}

TEST(HttpBudget, HoldsOneOrAll) {
    Budget budget({.credentials = 2});
    budget.hold(0, start + 1'000);
    EXPECT_EQ(budget.take(start).credential, 1);
    EXPECT_EQ(budget.take(start).credential, 1);
    budget.hold_all(start + 500);
    EXPECT_EQ(budget.take(start).wait, 500);
    EXPECT_EQ(budget.take(start + 500).credential, 1);
    EXPECT_EQ(budget.take(start + 1'000).credential, 0);
}

TEST(HttpBudget, TheConnectionsLimitHoldsInAnyHour) {
    Budget budget({.per_hour = 1'000});
    int first = taken(budget, start);
    EXPECT_EQ(first, 100);
    auto wait = budget.take(start).wait;
    EXPECT_EQ(wait, 4'000);  // 900 an hour
    EXPECT_EQ(taken(budget, start + wait), 1);
    int sum = first + 1;
    for (Millis now = start + wait; now < start + hour; now += 1'000) sum += taken(budget, now);
    EXPECT_LE(sum, 1'000);
    EXPECT_GE(sum, 995);
}

TEST(HttpBudget, TheSmallerOfBothCounts) {
    Budget budget({.per_hour = 1'000});
    budget.take(start);
    budget.answered(0, left(20, start + hour), start);
    EXPECT_EQ(taken(budget, start), 20);
    Budget wide({.per_hour = 1'000});
    wide.take(start);
    wide.answered(0, left(5'000, start + hour), start);
    EXPECT_EQ(taken(wide, start), 99);
}

TEST(HttpBudget, TheDefaultCountsWhereNothingIsKnown) {
    Budget budget({.default_per_hour = 100});
    EXPECT_EQ(taken(budget, start), 10);
    EXPECT_EQ(budget.take(start).wait, 40'000);
    budget.answered(0, left(500, start + hour), start);
    EXPECT_EQ(taken(budget, start), 500 - 9);
    Budget limited({.per_hour = 10'000, .default_per_hour = 100});
    EXPECT_EQ(taken(limited, start), 1'000);
}

TEST(HttpBudget, ProcessesSendWithinOneLimitTogether) {
    // Ten at once and ninety an hour, in two parts.
    Budget later({.per_hour = 100});
    later.share(2);
    EXPECT_EQ(taken(later, start), 0);
    EXPECT_EQ(taken(later, start + hour / 15), 3);
    EXPECT_EQ(taken(later, start + hour), 5);
    later.share(1);
    EXPECT_EQ(taken(later, start + hour), 0);
    EXPECT_EQ(taken(later, start + 2 * hour), 10);
    Budget earlier({.default_per_hour = 100});
    EXPECT_EQ(taken(earlier, start, 4), 4);
    earlier.share(3);
    EXPECT_EQ(taken(earlier, start), 3);
}

TEST(HttpBudget, ReadsHeaders) {
    RateRule rule{.limit_header = "X-Limit", .remaining_header = "X-Remaining", .reset_header = "X-Reset"};
    Response response;
    EXPECT_FALSE(read_allowance(rule, response, start));
    response.headers = {{"x-remaining", "7"}, {"x-limit", "60"}, {"x-reset", "30"}};
    auto told = read_allowance(rule, response, start);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->remaining, 7);
    EXPECT_EQ(told->limit, 60);
    EXPECT_EQ(told->reset, start + 30'000);
    auto reset_of = [&](const std::string& text) {
        response.headers.erase("x-reset");
        response.headers.emplace("x-reset", text);
        return read_allowance(rule, response, start)->reset;
    };
    EXPECT_EQ(reset_of("1700000090"), start + 90'000);
    EXPECT_EQ(reset_of("1700000090123"), start + 90'123);
    EXPECT_EQ(reset_of("2023-11-14T22:15:00Z"), start + 100'000);
    EXPECT_EQ(reset_of("soon"), start + rule.window);
    // The source's clock is an hour behind ours.
    response.headers.emplace("date", "Tue, 14 Nov 2023 21:13:20 GMT");
    EXPECT_EQ(reset_of("1699996410"), start + 10'000);
}

}  // namespace
}  // namespace tarn::http
