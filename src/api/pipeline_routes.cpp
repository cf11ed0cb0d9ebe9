// Pipelines and their tasks.
#include "api/place.h"
#include "api/routes.h"
#include "run/pipeline_log.h"
#include "run/task_counts.h"

namespace tarn::api {
namespace {

Result<run::PipelineFilter> filter_of(const Call& call) {
    run::PipelineFilter filter;
    TARN_ASSIGN(auto paging, lenient_paging_of(call));
    TARN_ASSIGN(auto pending, call.query_number("pending", 0));
    filter.status = call.query_text("status");
    filter.label = call.query_text("label");
    filter.pending = pending > 0;
    filter.page = paging.page;
    filter.page_size = paging.size;
    return filter;
}

Reply<> list_pipelines(const Services& services, const Call& call) {
    TARN_ASSIGN(auto filter, filter_of(call));
    TARN_ASSIGN(auto blueprint, call.query_number("blueprint_id", 0));
    if (blueprint != 0) filter.blueprint_id = blueprint;
    TARN_ASSIGN(auto found, services.pipelines->rows().list(filter));
    return Answer{.body = found};
}

Reply<> pipelines_of_blueprint(const Services& services, const Call& call) {
    TARN_ASSIGN(auto filter, filter_of(call));
    TARN_ASSIGN(filter.blueprint_id, call.id("blueprintId"));
    TARN_ASSIGN(auto found, services.pipelines->rows().list(filter));
    return Answer{.body = found};
}

Reply<> create_pipeline(const Services& services, const Call& call) {
    TARN_ASSIGN(auto body, call.json());
    TARN_ASSIGN(auto pipeline, run::new_pipeline(body));
    TARN_ASSIGN(auto made, services.pipelines->create(pipeline));
    return Answer{.status = 201, .body = made};
}

Refusal no_pipeline(std::int64_t id) { return refuse(404, "there is no pipeline " + std::to_string(id)); }

Reply<> get_pipeline(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("pipelineId"));
    TARN_ASSIGN(auto found, services.pipelines->rows().find(id));
    if (!found) return no_pipeline(id);
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

Reply<> get_subtasks(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("pipelineId"));
    TARN_ASSIGN(auto subtasks, services.pipelines->rows().subtasks(id, *services.platform));
    return Answer{.body = subtasks};
}

Reply<> get_counts(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("pipelineId"));
    TARN_ASSIGN(auto found, services.pipelines->rows().find(id));
    if (!found) return no_pipeline(id);
    TARN_ASSIGN(auto counts, run::TaskCounts(services.home->control()).counts(id));
    return Answer{.body = counts};
}

Reply<> rerun_pipeline(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("pipelineId"));
    TARN_ASSIGN(auto made, services.pipelines->rerun_pipeline(id));
    if (!made) return no_pipeline(id);
    return Answer{.body = *made};
}

Reply<> rerun_task(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("taskId"));
    TARN_ASSIGN(auto made, services.pipelines->rerun_task(id));
    if (!made) return refuse(404, "there is no task " + std::to_string(id));
    return Answer{.body = *made};
}

Reply<> get_logs(const Services& services, const Call& call) {
    TARN_ASSIGN(auto id, call.id("pipelineId"));
    TARN_ASSIGN(auto found, services.pipelines->rows().find(id));
    if (!found) return no_pipeline(id);
    Millis created = 0;
    parse_time((*found)["createdAt"].get<std::string>(), created);
    TARN_ASSIGN(auto packed, run::packed_logs(run::pipeline_log_folder(*services.home, id, created)));
    return Answer{.content_type = "application/gzip",
                  .content = std::move(packed),
                  .headers = {{"Content-Disposition", "attachment; filename=logging.tar.gz"}}};
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
        {.method = "GET",
         .pattern = one + "/subtasks",
         .tag = tag,
         .summary = "A pipeline's tasks with their subtasks, and how much is collected",
         .handle = get_subtasks,
         .answers = {{200, "Subtasks"}}},
        {.method = "GET",
         .pattern = one + "/counts",
         .tag = tag,
         .summary = "What its completed tasks asked for, met and wrote, and where that does not add up",
         .handle = get_counts,
         .answers = {{200, "TaskCounts"}},
         .refusals = {404}},
        {.method = "POST",
         .pattern = one + "/rerun",
         .tag = tag,
         .summary = "Runs again all tasks that did not succeed",
         .handle = rerun_pipeline,
         .answers = {{200, "Task[]"}},
         .refusals = {404}},
        {.method = "POST",
         .pattern = "/tasks/{taskId}/rerun",
         .tag = tag,
         .summary = "Runs one task again, also one that succeeded",
         .handle = rerun_task,
         .answers = {{200, "Task"}},
         .refusals = {404}},
        {.method = "GET",
         .pattern = one + "/logging.tar.gz",
         .tag = tag,
         .summary = "A pipeline's logs",
         .handle = get_logs,
         .answers = {{200, "application/gzip"}},
         .refusals = {404}},
        {.method = "GET",
         .pattern = "/blueprints/{blueprintId}/pipelines",
         .tag = "blueprints",
         .summary = "A blueprint's pipelines, newest first",
         .handle = pipelines_of_blueprint,
         .query = {{"status", "string", "Only those of this status"},
                   {"pending", "integer", "1: only unfinished ones"},
                   {"label", "string", "Only those with this label"},
                   {"page", "integer", "From 1 on"},
                   {"pageSize", "integer", "Usually 50"}},
         .answers = {{200, "Pipelines"}}},
    };
}

}  // namespace tarn::api
