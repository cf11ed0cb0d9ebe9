#include "api/gate.h"

#include <string_view>

namespace tarn::api {
namespace {

std::string path_of(std::string_view target) {
    target = target.substr(0, target.find('?'));
    if (target.starts_with("/api/")) target.remove_prefix(4);
    return std::string(target);
}

}  // namespace

void Gate::tell_progress(const std::string& what) {
    std::lock_guard lock(told_mutex_);
    progress_ = what;
}

void Gate::tell_problem(const std::string& what) {
    std::lock_guard lock(told_mutex_);
    problem_ = what;
}

std::string Gate::told(const std::string& text) {
    std::lock_guard lock(told_mutex_);
    return text;
}

Answer Gate::plan() {
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return envelope(200, "the upgrade is under way", {{"progress", told(progress_)}});
    if (done_) return envelope(200, "the upgrade is done");
    auto plan = work_.plan();
    return plan ? envelope(200, "success", *plan) : envelope(500, plan.error().text());
}

Answer Gate::proceed() {
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return envelope(500, "the upgrade is under way already");
    if (done_) return envelope(200, "success");
    under_way_ = true;
    tell_problem("");
    auto upgraded = work_.upgrade();
    if (!upgraded) {
        tell_problem(upgraded.error().text());
        under_way_ = false;
        return envelope(500, upgraded.error().text());
    }
    done_ = true;
    work_.done();
    return envelope(200, "success");
}

Answer Gate::answer(const std::string& method, const std::string& target) {
    auto path = path_of(target);
    bool gets = method == "GET" || method == "HEAD";
    if (gets && path == "/ping") return Answer{.empty = true};
    if (gets && path == "/version") return Answer{.body = {{"version", TARN_VERSION}}};
    if (gets && path == "/health") return envelope(200, "maybe");
    auto problem = told(problem_);
    if (gets && path == "/ready") {
        std::string state = under_way_        ? "migrating"
                            : problem.empty() ? "waiting for migration confirmation"
                                              : "the upgrade cannot be made: " + problem;
        return envelope(503, "service is not ready: " + state + " (503)");
    }
    if (gets && path == "/upgrade") return plan();
    if (gets && path == "/proceed-db-migration") return proceed();
    if (under_way_) return envelope(428, "Database migration is in progress: wait until /ready says so.");
    if (!problem.empty())
        return envelope(428, "The database of Apache DevLake cannot be upgraded yet: " + problem);
    return envelope(
        428,
        "The database is one of Apache DevLake and has to be upgraded first. Read the plan with `tarn "
        "upgrade plan` or GET /upgrade, then agree with GET /api/proceed-db-migration or `tarn upgrade "
        "apply`.");
}

}  // namespace tarn::api
