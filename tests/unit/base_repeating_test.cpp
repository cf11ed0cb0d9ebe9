#include "base/repeating.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace tarn {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

TEST(Repeating, CallsWithThePausesThatAreGiven) {
    std::atomic<int> calls = 0;
    auto begun = Clock::now();
    std::atomic<Clock::duration::rep> third = 0;
    Repeating repeating(milliseconds(0), [&] {
        if (++calls == 3) third = (Clock::now() - begun).count();
        return calls < 3 ? milliseconds(20) : milliseconds(3'600'000);
    });
    while (third == 0) std::this_thread::sleep_for(milliseconds(1));
    EXPECT_GE(Clock::duration(third), milliseconds(40));
    std::this_thread::sleep_for(milliseconds(60));
    EXPECT_EQ(calls, 3);
}

TEST(Repeating, EndsWithinThePauseAndAfterTheCallThatRuns) {
    auto begun = Clock::now();
    {
        Repeating never(milliseconds(3'600'000), [] { return milliseconds(0); });
    }
    EXPECT_LT(Clock::now() - begun, std::chrono::minutes(1));
    std::atomic<bool> inside = false, ended = false;
    {
        Repeating slow(milliseconds(0), [&] {
            inside = true;
            std::this_thread::sleep_for(milliseconds(50));
            ended = true;
            return milliseconds(3'600'000);
        });
        while (!inside) std::this_thread::sleep_for(milliseconds(1));
    }
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace tarn
