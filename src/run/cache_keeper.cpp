#include "run/cache_keeper.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"

namespace tarn::run {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto shortest_pause = std::chrono::seconds(2);
constexpr int longer_pause = 9;  // than the time that loading took

}  // namespace

CacheKeeper::CacheKeeper(const Home& home) : home_(home) {
    if (home_.data().shared()) thread_ = std::thread([this] { work(); });
}

CacheKeeper::~CacheKeeper() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void CacheKeeper::work() {
    Clock::duration pause = shortest_pause;
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, pause, [this] { return stopping_; })) {
        lock.unlock();
        auto begun = Clock::now();
        if (auto done = home_.data().catch_up(); !done)
            log()->warn("what other processes wrote is not loaded: {}", done.error().text());
        pause = std::max<Clock::duration>(shortest_pause, (Clock::now() - begun) * longer_pause);
        lock.lock();
    }
}

}  // namespace tarn::run
