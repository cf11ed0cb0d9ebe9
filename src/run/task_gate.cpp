#include "run/task_gate.h"

#include <algorithm>
#include <chrono>

namespace tarn::run {
namespace {

// A cancel token wakes nobody.
constexpr auto look_up = std::chrono::milliseconds(100);

}  // namespace

TaskGate::Pass::~Pass() {
    if (gate_ != nullptr) gate_->leave(scope_);
}

bool TaskGate::may_enter(std::list<std::string>::iterator waiter) {
    if (inside_.size() >= most_tasks_ || inside_.contains(*waiter)) return false;
    return std::none_of(waiting_.begin(), waiter,
                        [&](const std::string& earlier) { return !inside_.contains(earlier); });
}

Result<TaskGate::Pass> TaskGate::enter(const std::string& scope, const CancelToken& cancel) {
    std::unique_lock lock(mutex_);
    auto place = waiting_.insert(waiting_.end(), scope);
    while (!cancel.cancelled() && !may_enter(place)) changed_.wait_for(lock, look_up);
    waiting_.erase(place);
    changed_.notify_all();
    if (cancel.cancelled()) return fail(ErrorKind::cancelled, "cancelled");
    inside_.insert(scope);
    return Pass(*this, scope);
}

void TaskGate::leave(const std::string& scope) {
    std::lock_guard lock(mutex_);
    inside_.erase(scope);
    changed_.notify_all();
}

}  // namespace tarn::run
