// What the API has answered, by route.
// Thread rule: any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/measurements.h"

namespace tarn::api {

class Served {
  public:
    // `route`: the pattern, "" where none fits.
    void add(const std::string& method, const std::string& route, int status, double seconds);
    void measure(MeasurementText& out) const;

  private:
    struct OfRoute {
        std::map<int, std::int64_t> answers;  // by status
        Durations durations{{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}};
    };
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, OfRoute> routes_;  // by pattern and method
};

}  // namespace tarn::api
