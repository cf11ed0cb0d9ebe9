// What one process has for itself alone among all that work on a home: pipelines, tasks, scopes, the scheduler.
//
// A lease lives as long as its owner is heard of (store/presence.h). alone() orders what processes do with leases and with the states of
// pipelines and tasks: its `work` sees what all earlier ones left.
// Thread rule: any thread. Errors: those of the control store.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "run/home.h"

namespace tarn::run {

struct Lease {
    std::string kind, name;
    auto operator<=>(const Lease&) const = default;
};

inline constexpr const char *pipeline_lease = "pipeline", *task_lease = "task", *scope_lease = "scope",
                            *scheduler_lease = "scheduler", *idle_lease = "idle";

Lease lease_of(const char* kind, std::int64_t id);
// `scope`: a text of any length.
Lease lease_of_scope(const std::string& scope);

class Leases {
  public:
    explicit Leases(const Home& home) : home_(home) {}

    // A control transaction, one at a time over all processes.
    [[nodiscard]] Result<> alone(const std::function<Result<>()>& work) const;
    // alone(), and only where this process has the lease. Value: whether it has.
    [[nodiscard]] Result<bool> as_owner(const Lease& lease, const std::function<Result<>()>& work) const;

    // These four within alone(). take() is false where anybody has it, this process too.
    [[nodiscard]] Result<bool> take(const Lease& lease) const;
    [[nodiscard]] Result<> let_go(const Lease& lease) const;
    [[nodiscard]] Result<bool> is_ours(const Lease& lease) const;
    // Those whose owner is gone; they are free afterwards.
    [[nodiscard]] Result<std::int64_t> free_orphans() const;

    [[nodiscard]] Result<std::set<Lease>> held() const;
    [[nodiscard]] Result<bool> has_orphans() const;
    // Processes that have leases of this kind.
    [[nodiscard]] Result<std::int64_t> owners(const char* kind) const;

  private:
    const Home& home_;
};

}  // namespace tarn::run
