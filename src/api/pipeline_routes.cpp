// Pipelines and their tasks.
#include <algorithm>

#include "api/routes.h"

namespace tarn::api {
namespace {

Result<Answer> list_pipelines(const Services& services, const Call& call) {
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
    return Answer{200, found};
}

Result<Answer> create_pipeline(const Services& services, const Call& call) {
    TARN_ASSIGN(auto body, call.json());
    TARN_ASSIGN(auto made, services.pipelines->create(body));
    return Answer{201, made};
}

Result<Answer> get_pipeline(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.number("pipelineId"));
    TARN_ASSIGN(auto found, services.pipelines->find(id));
    return found ? Answer{200, *found} : envelope(404, "there is no pipeline " + std::to_string(id));
}

Result<Answer> cancel_pipeline(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.number("pipelineId"));
    TARN_ASSIGN(auto known, services.pipelines->cancel(id));
    return known ? envelope(200, "success") : envelope(400, "pipeline not found");
}

Result<Answer> get_tasks(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.number("pipelineId"));
    TARN_ASSIGN(auto tasks, services.pipelines->tasks(id));
    return Answer{200, tasks};
}

}  // namespace

std::vector<Route> pipeline_routes() {
    return {
        {"GET", "/pipelines", list_pipelines, "Pipelines, newest first"},
        {"POST", "/pipelines", create_pipeline, "Queues a pipeline"},
        {"GET", "/pipelines/{pipelineId}", get_pipeline, "One pipeline"},
        {"DELETE", "/pipelines/{pipelineId}", cancel_pipeline, "Cancels a pipeline"},
        {"GET", "/pipelines/{pipelineId}/tasks", get_tasks, "A pipeline's tasks"},
    };
}

}  // namespace tarn::api
