// Pipelines and their tasks.
#include <algorithm>

#include "api/routes.h"

namespace tarn::api {
namespace {

Reply<> list_pipelines(const Services& services, const Call& call) {
    PipelineFilter filter;
    filter.status = call.query_text("status");
    filter.label = call.query_text("label");
    TARN_ASSIGN(auto pending, call.query_number("pending", 0));
    TARN_ASSIGN(filter.blueprint_id, call.query_number("blueprint_id", 0));
    TARN_ASSIGN(filter.page, call.query_number("page", 1));
    TARN_ASSIGN(filter.page_size, call.query_number("pageSize", 50));
    filter.pending = pending > 0;
    filter.page = std::clamp<std::int64_t>(filter.page, 1, 1'000'000'000);
    filter.page_size = filter.page_size < 1 ? 50 : std::min<std::int64_t>(filter.page_size, 10'000);
    TARN_ASSIGN(auto found, services.pipelines->list(filter));
    return Answer{.body = found};
}

Reply<> create_pipeline(const Services& services, const Call& call) {
    TARN_ASSIGN(auto body, call.json());
    TARN_ASSIGN(auto made, services.pipelines->create(body));
    return Answer{.status = 201, .body = made};
}

Reply<> get_pipeline(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("pipelineId"));
    TARN_ASSIGN(auto found, services.pipelines->find(id));
    if (!found) return refuse(404, "there is no pipeline " + std::to_string(id));
    return Answer{.body = *found};
}

Reply<> cancel_pipeline(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("pipelineId"));
    TARN_ASSIGN(auto known, services.pipelines->cancel(id));
    if (!known) return refuse(400, "pipeline not found");
    return envelope(200, "success");
}

Reply<> get_tasks(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("pipelineId"));
    TARN_ASSIGN(auto tasks, services.pipelines->tasks(id));
    return Answer{.body = tasks};
}

}  // namespace

std::vector<Route> pipeline_routes() {
    const std::string tag = "pipelines", one = "/pipelines/{pipelineId}";
    return {
        {.method = "GET",
         .pattern = "/pipelines",
         .tag = tag,
         .summary = "Pipelines, newest first",
         .handle = list_pipelines,
         .query = {{"status", "string", "Only those of this status"},
                   {"pending", "integer", "1: only unfinished ones"},
                   {"blueprint_id", "integer", "Only those of this blueprint"},
                   {"label", "string", "Only those with this label"},
                   {"page", "integer", "From 1 on"},
                   {"pageSize", "integer", "Usually 50"}},
         .answers = {{200, "Pipelines"}}},
        {.method = "POST",
         .pattern = "/pipelines",
         .tag = tag,
         .summary = "Queues a pipeline",
         .handle = create_pipeline,
         .body = "PipelineBody",
         .answers = {{201, "Pipeline"}},
         .most_bytes = long_body},
        {.method = "GET",
         .pattern = one,
         .tag = tag,
         .summary = "One pipeline",
         .handle = get_pipeline,
         .answers = {{200, "Pipeline"}},
         .refusals = {404}},
        {.method = "DELETE",
         .pattern = one,
         .tag = tag,
         .summary = "Cancels a pipeline",
         .handle = cancel_pipeline,
         .answers = {{200, "Envelope"}}},
        {.method = "GET",
         .pattern = one + "/tasks",
         .tag = tag,
         .summary = "A pipeline's tasks",
         .handle = get_tasks,
         .answers = {{200, "Tasks"}}},
    };
}

}  // namespace tarn::api
