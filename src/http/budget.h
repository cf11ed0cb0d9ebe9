// The request budget of one client: says which credential may send now, or how long nothing may be sent.
//
// A credential whose source tells `remaining` and `reset` sends as fast as it can until remaining, less what
// is in flight, is 0, and then waits for the reset. The connection's limit per hour is a bucket over all
// credentials that holds a tenth of it and fills at nine tenths an hour, so no hour sees more than the limit.
// The default per hour is such a bucket for credentials of which nothing is known.
// Thread rule: not thread-safe; the client locks. Times come from the caller.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "http/client.h"
#include "http/traffic.h"

namespace tarn::http {

// What one answer says about its credential's budget.
struct Allowance {
    std::int64_t limit = -1;  // -1: not said
    std::int64_t remaining = 0;
    Millis reset = 0;  // by our clock
};

// nullopt where the headers do not tell what remains.
std::optional<Allowance> read_allowance(const RateRule& rule, const Response& response, Millis now);
// The time by the source's clock where the answer tells it, so that a wrong clock on either side does no
// harm.
Millis source_time(const Response& response, Millis now);

class Bucket {
  public:
    explicit Bucket(std::int64_t per_hour);
    // 0 and one request taken, or how long to wait
    Millis take(Millis now);
    // As take(), but takes nothing
    Millis wait(Millis now);
    std::int64_t left(Millis now);
    // Holds and fills at one of so many equal parts of the limit from now on. A bucket that has not been used begins empty beside others: what
    // they hold already is all there is.
    void share(int among);

  private:
    void fill(Millis now);
    const double whole_, whole_per_milli_;
    double capacity_, per_milli_, level_;
    Millis filled_ = 0;
};

struct BudgetLimits {
    std::int64_t per_hour = 0;  // 0: not set
    std::int64_t default_per_hour = 18'000;
    int credentials = 1;
    Millis window = 3'600'000;
};

class Budget {
  public:
    explicit Budget(const BudgetLimits& limits);

    struct Turn {
        int credential = -1;  // -1: not now
        Millis wait = 0;      // then: look again after this, or after an answer
    };
    // The credentials that have something left take turns.
    Turn take(Millis now);
    // The end of a request that was sent. `told` nullopt: no answer, or one that says nothing.
    void answered(int credential, const std::optional<Allowance>& told, Millis now);
    // A request that was taken and not sent.
    void give_back(int credential);
    // How many could go out now, one after the other.
    std::int64_t left(Millis now);
    // So many processes send within the limits together. What a source tells is told of all of them.
    void share(int among);
    // Nothing with this credential, or nothing at all, before `until`.
    void hold(int credential, Millis until);
    void hold_all(Millis until);

  private:
    struct Credential {
        bool known = false;    // the source told
        bool guessed = false;  // the window told of is over; full until told otherwise
        std::int64_t limit = -1, highest = 1, remaining = 0;
        Millis reset = 0, held = 0;
        int in_flight = 0;
    };
    Credential& at(int credential) { return credentials_[static_cast<std::size_t>(credential)]; }
    void begin_window(Credential& credential, Millis now) const;
    Millis wait_for(Credential& credential, Millis now);

    std::vector<Credential> credentials_;
    std::optional<Bucket> limit_;
    Bucket unknown_;
    Millis window_, held_ = 0;
    int next_ = 0;
};

// A budget that clients share, and the count of what they send. Thread rule: any thread.
class SharedBudget {
  public:
    explicit SharedBudget(std::shared_ptr<Traffic> traffic)
        : traffic_(traffic ? std::move(traffic) : std::make_shared<Traffic>()) {}
    Traffic& traffic() { return *traffic_; }
    // nullopt before begin()
    std::optional<std::int64_t> left(Millis now) {
        std::lock_guard lock(mutex_);
        return budget_ ? std::optional(budget_->left(now)) : std::nullopt;
    }
    // Only the first limits count.
    void begin(const BudgetLimits& limits) {
        std::lock_guard lock(mutex_);
        if (budget_) return;
        budget_.emplace(limits);
        budget_->share(among_);
    }
    void share(int among) {
        std::lock_guard lock(mutex_);
        among_ = among;
        if (budget_) budget_->share(among);
    }
    // Calls `work` with the budget; begin() comes first.
    template <class Work>
    auto with(Work work) {
        std::lock_guard lock(mutex_);
        return work(*budget_);
    }

  private:
    const std::shared_ptr<Traffic> traffic_;
    std::mutex mutex_;
    std::optional<Budget> budget_;
    int among_ = 1;
};

}  // namespace tarn::http
