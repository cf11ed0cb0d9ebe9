// How many tasks run at once, and that one scope is worked on by one task at a time. Who waits longest goes first.
// Thread rule: any thread; the gate outlives its passes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <set>
#include <string>

#include "base/cancel.h"
#include "base/result.h"

namespace tarn::run {

class TaskGate {
  public:
    explicit TaskGate(std::size_t most_tasks) : most_tasks_(most_tasks) {}

    // Leaves when it goes.
    class Pass {
      public:
        Pass(TaskGate& gate, std::string scope) : gate_(&gate), scope_(std::move(scope)) {}
        Pass(Pass&& other) noexcept : gate_(other.gate_), scope_(std::move(other.scope_)) {
            other.gate_ = nullptr;
        }
        Pass(const Pass&) = delete;
        Pass& operator=(const Pass&) = delete;
        Pass& operator=(Pass&&) = delete;
        ~Pass();

      private:
        TaskGate* gate_;
        std::string scope_;
    };

    // Waits for its turn; cancelled where `cancel` comes first.
    Result<Pass> enter(const std::string& scope, const CancelToken& cancel);

  private:
    [[nodiscard]] bool may_enter(std::list<std::string>::iterator waiter);
    void leave(const std::string& scope);

    const std::size_t most_tasks_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::string> inside_;
    std::list<std::string> waiting_;  // scopes, who came first in front
};

}  // namespace tarn::run
