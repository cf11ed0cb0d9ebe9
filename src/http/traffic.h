// What clients have sent, added up.
// Thread rule: any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace tarn::http {

class Traffic {
  public:
    // A request that has ended; status 0: without an answer.
    void sent(int status) {
        auto outcome = static_cast<std::size_t>(status / 100);
        ++requests_[outcome < outcomes.size() ? outcome : 0];
    }
    void waited(Millis time) { waited_ += time; }

    static constexpr std::array<const char*, 6> outcomes{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    [[nodiscard]] std::int64_t requests(std::size_t outcome) const { return requests_[outcome]; }
    [[nodiscard]] Millis waited() const { return waited_; }

  private:
    std::array<std::atomic<std::int64_t>, outcomes.size()> requests_{};
    std::atomic<Millis> waited_ = 0;
};

}  // namespace tarn::http
