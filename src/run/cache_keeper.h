// Keeps the cache of a server home up to date while this process only reads: what workers write shows soon in what the API answers.
//
// It looks every two seconds, and less often where loading takes long: a tenth of the time at most is spent on it. An embedded home has nothing
// to catch up with.
// Thread rule: a thread of its own; the home outlives it. Errors are told in the log, and it looks again.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "run/home.h"

namespace tarn::run {

class CacheKeeper {
  public:
    explicit CacheKeeper(const Home& home);
    ~CacheKeeper();
    CacheKeeper(const CacheKeeper&) = delete;
    CacheKeeper& operator=(const CacheKeeper&) = delete;

  private:
    void work();

    const Home& home_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace tarn::run
