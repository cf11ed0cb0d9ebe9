// This process among those that work on one control store: a row of `_tarn_processes`, kept alive by a heart-beat on the store's clock.
//
// A process whose heart-beat is older than its lease is marked as gone by any other (mark_gone), once and for all: from then on its
// transactions of data are refused (store/server/write_through.h) and what it held is free (run/leases.h). It finds lost() true, has to stop its work, and
// may then enter again under a new id. Alone on its store (an embedded home) a process has no heart-beat: nobody judges it.
// The control store is best one that nobody else waits for: a late heart-beat is a lost process.
// Thread rule: any thread; enter_again() while nothing works. Errors: those of the control store.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/repeating.h"
#include "base/result.h"
#include "base/time.h"
#include "store/control.h"

namespace tarn {

class Presence {
  public:
    struct Terms {
        Millis lease = 30'000;
        bool alone = false;          // no other process can use the store
        std::int64_t data_file = 0;  // an earlier process of the same file is gone
    };
    static Result<std::unique_ptr<Presence>> enter(ControlStore& control, const Terms& terms);
    // Lets go of everything.
    ~Presence();
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;

    [[nodiscard]] std::string id() const;
    [[nodiscard]] bool lost() const { return lost_; }
    Result<> enter_again();
    // By `control`, not the one of the heart-beats: it may have to wait for a process that was stopped in the middle of its commit.
    Result<> mark_gone(ControlStore& control) const;

  private:
    Presence(ControlStore& control, const Terms& terms) : control_(control), terms_(terms) {}
    Result<> sign_in();
    void beat();

    ControlStore& control_;
    const Terms terms_;
    mutable std::mutex mutex_;
    std::string id_;
    std::chrono::steady_clock::time_point heard_;  // when the last heart-beat that arrived was sent
    std::atomic<bool> lost_ = false;
    std::optional<Repeating> beats_;
};

}  // namespace tarn
