// Blueprints.
#include "run/blueprints.h"

#include <fmt/format.h>

#include "api/place.h"
#include "api/routes.h"
#include "run/body.h"
#include "run/make_plan.h"
#include "run/task_counts.h"

namespace tarn::api {
namespace {

run::Blueprints blueprints_of(const Services& services) { return {*services.home, *services.platform}; }

Reply<run::Blueprint> blueprint_of(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("blueprintId"));
    TARN_ASSIGN(auto found, blueprints_of(services).find(id));
    if (!found) return refuse(404, fmt::format("there is no blueprint {}", id));
    return *found;
}

Result<std::optional<bool>> flag_of(const Call& call, const std::string& name) {
    auto text = call.query_text(name);
    if (text.empty()) return std::optional<bool>();
    if (text == "true" || text == "1") return std::optional<bool>(true);
    if (text == "false" || text == "0") return std::optional<bool>(false);
    return fail(ErrorKind::bad_data, "must be true or false", name);
}

Reply<> list_blueprints(const Services& services, const Call& call) {
    run::BlueprintFilter filter;
    TARN_ASSIGN(auto paging, lenient_paging_of(call));
    TARN_ASSIGN(filter.enable, flag_of(call, "enable"));
    TARN_ASSIGN(filter.manual, flag_of(call, "isManual"));
    filter.label = call.query_text("label");
    filter.type = call.query_text("type");
    filter.page = paging.page;
    filter.page_size = paging.size;
    TARN_ASSIGN(auto found, blueprints_of(services).list(filter));
    return Answer{.body = found};
}

Reply<> create_blueprint(const Services& services, const Call& call) {
    TARN_ASSIGN(auto body, call.object());
    auto blueprints = blueprints_of(services);
    run::Blueprint empty;
    empty.mode.clear();
    TARN_ASSIGN(auto made, blueprints.overlaid(std::move(empty), body));
    TARN_ASSIGN(auto saved, blueprints.save(std::move(made)));
    return Answer{.status = 201, .body = blueprints.shown(saved)};
}

Reply<> get_blueprint(const Services& services, const Call& call) {
    TARN_ASSIGN(auto blueprint, blueprint_of(services, call));
    return Answer{.body = blueprints_of(services).shown(blueprint)};
}

Reply<> change_blueprint(const Services& services, const Call& call) {
    TARN_ASSIGN(auto stored, blueprint_of(services, call));
    TARN_ASSIGN(auto body, call.object());
    auto blueprints = blueprints_of(services);
    TARN_ASSIGN(auto changed, blueprints.overlaid(stored, body));
    if (changed.mode != stored.mode) return refuse(400, "mode: mode is not updatable");
    TARN_ASSIGN(auto saved, blueprints.save(std::move(changed)));
    return Answer{.body = blueprints.shown(saved)};
}

Reply<> delete_blueprint(const Services& services, const Call& call) {
    TARN_ASSIGN(auto blueprint, blueprint_of(services, call));
    TARN_ASSIGN(bool busy, services.pipelines->rows().has_unfinished(blueprint.id));
    if (busy)
        return refuse(400,
                      "There are unfinished pipelines of the blueprint: wait for their end or cancel them");
    TARN_TRY(blueprints_of(services).remove(blueprint.id));
    return envelope(200, "success");
}

Reply<> trigger_blueprint(const Services& services, const Call& call) {
    TARN_ASSIGN(auto blueprint, blueprint_of(services, call));
    TARN_ASSIGN(auto json, call.object());
    TARN_ASSIGN(auto body, run::Body::make(json));
    run::TriggerPolicy policy;
    TARN_ASSIGN(policy.skip_collectors, body.flag("skipCollectors"));
    TARN_ASSIGN(policy.full_sync, body.flag("fullSync"));
    if (!blueprint.enable) return refuse(400, "the blueprint is not enabled");
    TARN_ASSIGN(auto pipeline, services.pipelines->trigger(blueprint, policy));
    return Answer{.body = pipeline};
}

Reply<> estimate(const Services& services, const Call& call) {
    TARN_ASSIGN(auto blueprint, blueprint_of(services, call));
    auto plan = blueprint.plan.is_array() ? blueprint.plan : nlohmann::json::array();
    // As the run's: anew, since scopes and settings may have changed.
    if (!blueprint.advanced()) {
        TARN_ASSIGN(plan, run::make_plan(*services.home, *services.platform, blueprint));
    }
    TARN_ASSIGN(auto found, run::TaskCounts(services.home->control()).estimate(plan));
    return Answer{.body = found};
}

}  // namespace

std::vector<Route> blueprint_routes() {
    const std::string tag = "blueprints", one = "/blueprints/{blueprintId}";
    return {
        {.method = "GET",
         .pattern = "/blueprints",
         .tag = tag,
         .summary = "Blueprints, newest first",
         .handle = list_blueprints,
         .query = {{"enable", "boolean", "Only enabled ones, or the others"},
                   {"isManual", "boolean", "Only those without times, or the others"},
                   {"label", "string", "Only those with this label"},
                   {"type", "string", "ALL, MANUAL, DAILY, WEEKLY, MONTHLY or CUSTOM; without isManual"},
                   {"page", "integer", "From 1 on"},
                   {"pageSize", "integer", "Usually 50"}},
         .answers = {{200, "Blueprints"}}},
        {.method = "POST",
         .pattern = "/blueprints",
         .tag = tag,
         .summary = "Adds a blueprint; a NORMAL one's plan is made from its connections and scopes",
         .handle = create_blueprint,
         .body = "BlueprintBody",
         .answers = {{201, "Blueprint"}},
         .most_bytes = long_body},
        {.method = "GET",
         .pattern = one,
         .tag = tag,
         .summary = "One blueprint",
         .handle = get_blueprint,
         .answers = {{200, "Blueprint"}},
         .refusals = {404}},
        {.method = "PATCH",
         .pattern = one,
         .tag = tag,
         .summary = "Changes what the body names",
         .handle = change_blueprint,
         .body = "BlueprintChange",
         .answers = {{200, "Blueprint"}},
         .refusals = {404},
         .most_bytes = long_body},
        {.method = "DELETE",
         .pattern = one,
         .tag = tag,
         .summary = "Deletes a blueprint; its pipelines and data stay",
         .handle = delete_blueprint,
         .answers = {{200, "Envelope"}},
         .refusals = {404}},
        {.method = "GET",
         .pattern = one + "/estimate",
         .tag = tag,
         .summary = "Requests and seconds that a run is likely to need, by the last ones of its tasks",
         .handle = estimate,
         .answers = {{200, "Estimate"}},
         .refusals = {404}},
        {.method = "POST",
         .pattern = one + "/trigger",
         .tag = tag,
         .summary = "Runs a blueprint now",
         .handle = trigger_blueprint,
         .body = "TriggerBody",
         .answers = {{200, "Pipeline"}},
         .refusals = {404}},
    };
}

}  // namespace tarn::api
