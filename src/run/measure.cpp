#include "run/measure.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "run/fields.h"
#include "run/job.h"
#include "run/project_plan.h"
#include "store/put_rows.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

// Tables whose rows stand for a scope in project_mapping.
constexpr std::array<const char*, 4> scope_tables = {"boards", "cicd_scopes", "cq_projects", "repos"};

// (table, row id) of all that was made of the scope
std::string scope_rows(const connector::Connector& connector, const std::string& params) {
    std::vector<std::string> parts;
    for (const auto* table : scope_tables) {
        parts.push_back(
            fmt::format("select '{0}' as \"table\", id as row_id from {0} where _raw_data_params = {1} and "
                        "starts_with(id, {2})",
                        table, sql_text(params), sql_text(connector.name + ":")));
    }
    return join(parts, " union all ");
}

Result<> run_one(const Home& home, const Platform& platform, const Json& task, const CancelToken& cancel) {
    JobRequest request;
    request.connector = platform.connector(task["plugin"].get<std::string>());
    // A metric that is left out for a mistake of its own is told among the platform's problems.
    if (request.connector == nullptr) return {};
    request.subtasks = task["subtasks"].get<std::vector<std::string>>();
    request.options = task["options"];
    request.cancel = cancel;
    TARN_ASSIGN(auto job, prepare_job(home, request));
    TARN_TRY(run_task(job.spec, *job.client, home.data(), home.control()));
    return {};
}

}  // namespace

Result<std::size_t> add_to_project(const Home& home, const Platform& platform,
                                   const connector::Connector& connector, const std::string& params,
                                   const std::string& project) {
    TARN_TRY(check_text({.name = "project_name", .length = 255}, "project", project));
    const Table& table = *platform.schema().table("project_mapping");
    std::size_t count = 0;
    TARN_TRY(home.data().write([&](duck::Connection& connection) -> Result<> {
        TARN_ASSIGN(auto rows,
                    connection.query(fmt::format("select {} as project_name, * from ({})", sql_text(project),
                                                 scope_rows(connector, params))));
        count = rows.rows.size();
        if (count == 0) return {};
        TARN_ASSIGN(auto stamp, home.control().next_stamp());
        return upsert_rows(connection, table, {.columns = rows.names, .rows = std::move(rows.rows)}, stamp);
    }));
    return count;
}

Result<std::vector<std::string>> projects_of_scope(const Home& home, const connector::Connector& connector,
                                                   const std::string& params) {
    TARN_ASSIGN(auto connection, home.data().reader());
    TARN_ASSIGN(auto rows, connection->query(fmt::format(
                               "select distinct m.project_name from project_mapping m join ({}) s on "
                               "s.\"table\" = m.\"table\" and s.row_id = m.row_id order by 1",
                               scope_rows(connector, params))));
    std::vector<std::string> out;
    for (const auto& row : rows.rows) out.push_back(row[0].value_or(""));
    return out;
}

Result<> measure_project(const Home& home, const Platform& platform, const std::string& project,
                         const CancelToken& cancel) {
    for (const auto& loaded : platform.connectors()) {
        const auto& metric = loaded->connector;
        std::error_code ignored;
        bool needs_settings = std::ranges::any_of(metric.options, &connector::Field::required);
        if (needs_settings || !std::filesystem::exists(metric.folder + "/numbers", ignored)) continue;
        TARN_ASSIGN(auto stages, stages_of(platform, metric.name, project, Json::object()));
        for (const auto& stage : stages) {
            for (const auto& task : stage) TARN_TRY(run_one(home, platform, task, cancel));
        }
    }
    return {};
}

}  // namespace tarn::run
