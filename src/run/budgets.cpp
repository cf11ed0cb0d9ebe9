#include "run/budgets.h"

#include "http/budget.h"

namespace tarn::run {

std::shared_ptr<http::SharedBudget> Budgets::of(const connector::Connector& connector,
                                                const Connection& connection) {
    std::lock_guard lock(mutex_);
    auto& kept = kept_[{connector.name, connection.id}];
    if (kept.budget == nullptr || kept.updated_at != connection.updated_at) {
        kept = {connection.updated_at, http::shared_budget(traffic(connector.name))};
        kept.budget->share(among_);
    }
    return kept.budget;
}

void Budgets::share(int among) {
    std::lock_guard lock(mutex_);
    if (among == among_) return;
    among_ = among;
    for (auto& [key, kept] : kept_) kept.budget->share(among);
}

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
