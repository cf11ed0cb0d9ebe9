// Triggers blueprints at the times of their cron lines: one process of all that work on the home, by a lease. Another takes over where it is
// gone, and makes up for the time in between, two minutes at most.
//
// The store is asked each second, so a change of a blueprint counts from then on. Times missed otherwise are not made up. A blueprint whose last
// pipeline has not ended is not triggered: told in the log, as any other reason.
// Thread rule: a thread of its own between the constructor and the destructor.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/repeating.h"
#include "base/result.h"
#include "base/time.h"
#include "run/leases.h"
#include "run/pipelines.h"

namespace tarn::run {

class Scheduler {
  public:
    Scheduler(const Home& home, const Platform& platform, Pipelines& pipelines);
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

  private:
    struct Entry {
        std::string line;
        std::optional<Millis> next;
    };
    Result<std::vector<std::int64_t>> due(Millis from, Millis now);
    Result<Millis> lead(Millis now);
    Result<> look();
    Result<> trigger(std::int64_t blueprint_id);

    const Home& home_;
    const Platform& platform_;
    Pipelines& pipelines_;
    const Leases leases_;
    bool leads_ = false;
    std::map<std::int64_t, Entry> entries_;
    Repeating looks_;  // last: it uses the others
};

}  // namespace tarn::run
