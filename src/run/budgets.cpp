#include "run/budgets.h"

#include "http/budget.h"

namespace tarn::run {

void Budgets::measure(MeasurementText& out) const {
    std::lock_guard lock(mutex_);
    out.begin("tarn_source_requests_total", "counter",
              "Requests of tasks to sources, by class of the answer's status; none: without an answer.");
    for (const auto& [plugin, traffic] : traffic_) {
        for (std::size_t outcome = 0; outcome < http::Traffic::outcomes.size(); ++outcome)
            out.value({{"plugin", plugin}, {"outcome", http::Traffic::outcomes[outcome]}},
                      traffic->requests(outcome));
    }
    out.begin("tarn_source_budget_wait_seconds_total", "counter",
              "Time for which tasks waited for the budget of their connection.");
    for (const auto& [plugin, traffic] : traffic_)
        out.value({{"plugin", plugin}}, static_cast<double>(traffic->waited()) / 1000);
    out.begin("tarn_source_budget_requests", "gauge",
              "Requests that the connection may send now without a wait.");
    for (const auto& [key, kept] : kept_) {
        if (auto left = kept.budget->left(now_millis()))
            out.value({{"plugin", key.first}, {"connection", std::to_string(key.second)}}, *left);
    }
}

}  // namespace tarn::run
