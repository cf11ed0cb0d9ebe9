#include "connector/schedule.h"

#include <atomic>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace tarn::connector {
namespace {

constexpr std::chrono::milliseconds patience{2'000};

// Gives `count` units whose `ordinal` is their number.
PageQueue::Source units(int count) {
    return [count, given = 0]() mutable -> std::optional<Unit> {
        if (given == count) return std::nullopt;
        Unit unit;
        unit.window = {given, given};
        ++given;
        return unit;
    };
}

std::vector<std::string> all_of(PageQueue& queue) {
    std::vector<std::string> out;
    Delivery page;
    while (queue.next(page, patience) == PageQueue::Got::page) {
        out.push_back(std::to_string(page.job.unit.window.from) + "." + std::to_string(page.job.at.ordinal) +
                      (page.next ? ">" : "") + (page.unit_done ? "!" : ""));
        if (page.outcome.error) break;
    }
    return out;
}

void rest(int seed) {
    thread_local std::minstd_rand random(static_cast<unsigned>(seed));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 1'500));
}

TEST(PageQueue, GivesOutInOrderWhateverTheOrderOfArrival) {
    std::atomic<int> at_once = 0;
    std::atomic<int> most = 0;
    auto read = [&](const Job& job) {
        int now = ++at_once;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        rest(static_cast<int>(job.window.from));
        Outcome outcome;
        // Even units know their pages, odd ones are chains.
        if (job.window.from % 2 == 0) {
            outcome.followers.last = 4;
        } else if (job.at.ordinal < 3) {
            outcome.followers.next = Position{job.at.ordinal + 1, "c", ""};
        }
        --at_once;
        return outcome;
    };
    PageQueue queue(units(40), read, {.workers = 8});
    auto out = all_of(queue);
    std::vector<std::string> expected;
    for (int unit = 0; unit < 40; ++unit) {
        int pages = unit % 2 == 0 ? 4 : 3;
        for (int page = 1; page <= pages; ++page) {
            expected.push_back(std::to_string(unit) + "." + std::to_string(page) +
                               (page < pages ? ">" : "!"));
        }
    }
    EXPECT_EQ(out, expected);
    EXPECT_GT(most.load(), 4);
    EXPECT_LE(most.load(), 8);
}

TEST(PageQueue, HoldsNoMoreThanItsBoundButAlwaysThePageThatIsWaitedFor) {
    std::atomic<int> begun = 0;
    auto read = [&](const Job& job) {
        ++begun;
        Outcome outcome;
        outcome.followers.last = 1'000;
        outcome.bytes = job.at.ordinal % 3 == 0 ? 1'000'000 : 300;
        return outcome;
    };
    PageQueue queue(units(1), read, {.workers = 4, .bytes = 1'000});
    Delivery page;
    for (int taken = 1; taken <= 1'000; ++taken) {
        ASSERT_EQ(queue.next(page, patience), PageQueue::Got::page);
        ASSERT_EQ(page.job.at.ordinal, taken);
        ASSERT_LE(begun.load(), taken + 12);
    }
    EXPECT_EQ(queue.next(page, patience), PageQueue::Got::end);
}

TEST(PageQueue, BeginsNothingBehindAFailedPage) {
    std::atomic<int> begun = 0;
    auto read = [&](const Job& job) {
        ++begun;
        Outcome outcome;
        if (job.window.from == 3) outcome.error = Error{ErrorKind::terminal, "no", {}, {}};
        rest(7);
        return outcome;
    };
    PageQueue queue(units(100'000), read, {.workers = 4});
    EXPECT_EQ(all_of(queue).back(), "3.1!");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_LT(begun.load(), 20);
}

TEST(PageQueue, ReadsTheHalvesOfAWindowInOrder) {
    auto read = [&](const Job& job) {
        rest(static_cast<int>(job.window.to));
        Outcome outcome;
        outcome.split = job.window.to - job.window.from >= 4'000;
        outcome.followers.last = outcome.split ? 0 : 2;
        return outcome;
    };
    bool given = false;
    auto source = [&]() -> std::optional<Unit> {
        if (given) return std::nullopt;
        given = true;
        return Unit{nullptr, {}, {0, 31'000}};
    };
    PageQueue queue(source, read, {.workers = 6});
    Delivery page;
    Millis next = 0;
    int pages = 0;
    while (queue.next(page, patience) == PageQueue::Got::page) {
        ++pages;
        EXPECT_EQ(page.job.window.from, next);
        EXPECT_EQ(page.window_done, page.job.at.ordinal == 2);
        if (page.window_done) next = page.job.window.to + 1'000;
    }
    EXPECT_EQ(next, 32'000);
    EXPECT_EQ(pages, 16);
}

TEST(PageQueue, StopsWithPagesUnderWay) {
    auto read = [&](const Job&) {
        rest(3);
        return Outcome{};
    };
    for (int round = 0; round < 50; ++round) {
        PageQueue queue(units(1'000), read, {.workers = 4});
        Delivery page;
        ASSERT_EQ(queue.next(page, patience), PageQueue::Got::page);
    }
}

}  // namespace
}  // namespace tarn::connector
