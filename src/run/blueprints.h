// Blueprints: what is run when, in the control store.
//
// NORMAL ones name connections and scopes, from which the plan is made (run/make_plan.h); ADVANCED ones hold the plan itself. Plans may hold
// secrets, so they are encrypted. A project has one blueprint at most.
// Thread rule: any thread. Errors: bad_data with the name of what is wrong; those of the control store and of the cipher.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "run/home.h"
#include "run/platform.h"

namespace tarn::run {

struct BlueprintConnection {
    std::string plugin;
    std::int64_t connection_id = 0;
    std::vector<std::string> scopes;
};

struct Blueprint {
    std::int64_t id = 0;
    std::string created_at, updated_at;  // as the control store writes times
    std::string name, project, mode = "NORMAL", cron, time_after;
    nlohmann::json plan, before, after;  // null or a list of stages
    bool enable = false, manual = false, skip_on_fail = false, skip_collectors = false, full_sync = false;
    std::int64_t priority = 0;
    std::vector<std::string> labels;
    std::vector<BlueprintConnection> connections;
    // Set where a stored plan cannot be decrypted: it is null then, and the blueprint can be shown and removed, but neither changed nor run.
    std::optional<Error> unreadable;

    [[nodiscard]] bool advanced() const { return mode == "ADVANCED"; }
};

struct BlueprintFilter {
    std::optional<bool> enable, manual;
    std::string label, type;  // type: ALL, MANUAL, DAILY, WEEKLY, MONTHLY, CUSTOM
    std::int64_t page = 1, page_size = 50;
};

class Blueprints {
  public:
    Blueprints(const Home& home, const Platform& platform) : home_(home), platform_(platform) {}

    Result<std::optional<Blueprint>> find(std::int64_t id) const;
    Result<std::optional<Blueprint>> of_project(const std::string& project) const;
    // {"blueprints", "count"}, newest first
    Result<nlohmann::json> list(const BlueprintFilter& filter) const;

    // A body's members over `stored`: missing ones stay, null clears, lists are replaced. Not checked.
    [[nodiscard]] Result<Blueprint> overlaid(Blueprint stored, const nlohmann::json& body) const;
    // Checks it, makes its plan and saves it; `id` 0: adds it. Gives it as it is stored then.
    Result<Blueprint> save(Blueprint blueprint) const;
    Result<> remove(std::int64_t id) const;

    // As the API shows it.
    [[nodiscard]] nlohmann::json shown(const Blueprint& blueprint) const;

  private:
    [[nodiscard]] Result<> check(const Blueprint& blueprint) const;
    [[nodiscard]] Result<> check_project(const Blueprint& blueprint) const;
    Result<std::int64_t> write_row(const Blueprint& blueprint) const;
    Result<> write_parts(const Blueprint& blueprint) const;
    Result<Blueprint> read_row(const ControlRows& rows, std::size_t row) const;
    Result<std::vector<BlueprintConnection>> read_connections(std::int64_t id) const;
    [[nodiscard]] nlohmann::json read_plan(const ControlRows& rows, std::size_t row, const char* column,
                                           std::optional<Error>& unreadable) const;

    const Home& home_;
    const Platform& platform_;
};

}  // namespace tarn::run
