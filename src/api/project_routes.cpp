// Projects.
#include "run/projects.h"

#include "api/place.h"
#include "api/routes.h"

namespace tarn::api {
namespace {

run::Projects projects_of(const Services& services) { return {*services.home, *services.platform}; }

// As long as the column; Apache DevLake's own renames are not checked.
Result<std::string> name_of(const Call& call) {
    const auto& name = call.path.at("projectName");
    if (name.size() <= 255) return name;
    return fail(ErrorKind::bad_data, "is too long: 255 bytes at most", "projectName");
}

Refusal no_project(const std::string& name) {
    return refuse(404, "there is no project '" + name.substr(0, 100) + "'");
}

Reply<> list_projects(const Services& services, const Call& call) {
    TARN_ASSIGN(auto paging, lenient_paging_of(call));
    TARN_ASSIGN(auto found, projects_of(services).list(call.query_text("keyword"), paging.page, paging.size));
    return Answer{.body = found};
}

Reply<> create_project(const Services& services, const Call& call) {
    TARN_ASSIGN(auto body, call.object());
    TARN_ASSIGN(auto made, projects_of(services).create(body));
    return Answer{.status = 201, .body = made};
}

Reply<> get_project(const Services& services, const Call& call) {
    TARN_ASSIGN(auto name, name_of(call));
    TARN_ASSIGN(auto found, projects_of(services).find(name));
    if (!found) return no_project(name);
    return Answer{.body = *found};
}

Reply<> check_project(const Services& services, const Call& call) {
    TARN_ASSIGN(auto name, name_of(call));
    TARN_ASSIGN(bool exists, projects_of(services).exists(name));
    return Answer{.body = {{"exist", exists}}};
}

Reply<> change_project(const Services& services, const Call& call) {
    TARN_ASSIGN(auto name, name_of(call));
    TARN_ASSIGN(auto body, call.object());
    TARN_ASSIGN(auto changed, projects_of(services).change(name, body));
    if (!changed) return no_project(name);
    return Answer{.status = 201, .body = *changed};
}

Reply<> delete_project(const Services& services, const Call& call) {
    TARN_ASSIGN(auto name, name_of(call));
    TARN_ASSIGN(bool exists, projects_of(services).exists(name));
    if (!exists) return no_project(name);
    TARN_TRY(projects_of(services).remove(name));
    return envelope(200, "success");
}

}  // namespace

std::vector<Route> project_routes() {
    const std::string tag = "projects", one = "/projects/{projectName}";
    return {
        {.method = "GET",
         .pattern = "/projects",
         .tag = tag,
         .summary = "Projects, newest first, with their blueprints and last pipelines",
         .handle = list_projects,
         .query = {{"keyword", "string", "Part of the name"},
                   {"page", "integer", "From 1 on"},
                   {"pageSize", "integer", "Usually 50"}},
         .answers = {{200, "Projects"}}},
        {.method = "POST",
         .pattern = "/projects",
         .tag = tag,
         .summary = "Adds a project, with a blueprint that runs each midnight where the body has none",
         .handle = create_project,
         .body = "ProjectBody",
         .answers = {{201, "Project"}},
         .most_bytes = long_body},
        {.method = "GET",
         .pattern = one,
         .tag = tag,
         .summary = "One project",
         .handle = get_project,
         .answers = {{200, "Project"}},
         .refusals = {404}},
        {.method = "GET",
         .pattern = one + "/check",
         .tag = tag,
         .summary = "Whether there is a project of this name",
         .handle = check_project,
         .answers = {{200, "ProjectCheck"}}},
        {.method = "PATCH",
         .pattern = one,
         .tag = tag,
         .summary =
             "Changes a project; a missing description is cleared, metrics are replaced where there are any",
         .handle = change_project,
         .body = "ProjectBody",
         .answers = {{201, "Project"}},
         .refusals = {404},
         .most_bytes = long_body},
        {.method = "DELETE",
         .pattern = one,
         .tag = tag,
         .summary = "Deletes a project and its blueprint; collected data and pipelines stay",
         .handle = delete_project,
         .answers = {{200, "Envelope"}},
         .refusals = {404}},
    };
}

}  // namespace tarn::api
