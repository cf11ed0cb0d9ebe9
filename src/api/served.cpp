#include "api/served.h"

namespace tarn::api {

void Served::add(const std::string& method, const std::string& route, int status, double seconds) {
    std::lock_guard lock(mutex_);
    auto& found = routes_[{route, method}];
    ++found.answers[status];
    found.durations.add(seconds);
}

void Served::measure(MeasurementText& out) const {
    std::lock_guard lock(mutex_);
    out.begin("tarn_api_requests_total", "counter", "Requests to the API that were answered.");
    for (const auto& [key, route] : routes_) {
        for (const auto& [status, count] : route.answers)
            out.value({{"route", key.first}, {"method", key.second}, {"status", std::to_string(status)}},
                      count);
    }
    out.begin("tarn_api_request_duration_seconds", "histogram", "How long answers of the API took.");
    for (const auto& [key, route] : routes_)
        out.durations({{"route", key.first}, {"method", key.second}}, route.durations);
}

}  // namespace tarn::api
