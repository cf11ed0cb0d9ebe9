// Triggers blueprints at the times of their cron lines: one process of all that work on the home, by a lease. Another takes over where it is
// gone, and makes up for the time in between, two minutes at most.
//
// The store is asked each second, so a change of a blueprint counts from then on. Missed times are not made up. A blueprint whose last
// pipeline has not ended is not triggered: told in the log, as any other reason.
// Thread rule: a thread of its own between the constructor and the destructor.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "run/leases.h"
#include "run/pipelines.h"

namespace tarn::run {

class Scheduler {
  public:
    Scheduler(const Home& home, const Platform& platform, Pipelines& pipelines);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

  private:
    struct Entry {
        std::string line;
        std::optional<Millis> next;
    };
    void work();
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
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace tarn::run
