// Keeps the cache of a server home up to date while this process only reads: what workers write shows soon in what the API answers.
//
// It looks every two seconds, and less often where loading takes long: a tenth of the time at most is spent on it. An embedded home has nothing
// to catch up with.
// Thread rule: a thread of its own; the home outlives it. Errors are told in the log, and it looks again.
#pragma once

#include <optional>

#include "base/repeating.h"
#include "run/home.h"

namespace tarn::run {

class CacheKeeper {
  public:
    explicit CacheKeeper(const Home& home);
    CacheKeeper(const CacheKeeper&) = delete;
    CacheKeeper& operator=(const CacheKeeper&) = delete;

  private:
    Repeating::Pause look();

    const Home& home_;
    std::optional<Repeating> looks_;
};

}  // namespace tarn::run
