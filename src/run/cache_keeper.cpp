#include "run/cache_keeper.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"

namespace tarn::run {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Repeating::Pause shortest_pause = std::chrono::seconds(2);
constexpr int longer_pause = 9;  // than the time that loading took

}  // namespace

CacheKeeper::CacheKeeper(const Home& home) : home_(home) {
    if (home_.data().shared()) looks_.emplace(shortest_pause, [this] { return look(); });
}

Repeating::Pause CacheKeeper::look() {
    auto begun = Clock::now();
    if (auto done = home_.data().catch_up(); !done)
        log()->warn("what other processes wrote is not loaded: {}", done.error().text());
    auto took = std::chrono::duration_cast<Repeating::Pause>(Clock::now() - begun);
    return std::max(shortest_pause, took * longer_pause);
}

}  // namespace tarn::run
