#include "run/measure_runs.h"

#include <fmt/format.h>

#include "base/time.h"
#include "run/pipeline_rows.h"

namespace tarn::run {
namespace {

Result<> measure_states(ControlStore& control, const char* table, MeasurementText& out) {
    TARN_ASSIGN(auto rows,
                control.query(fmt::format(
                    "select status, count(*) as n from {} group by status order by status", table)));
    for (std::size_t row = 0; row < rows.rows.size(); ++row)
        out.value({{"status", rows.text(row, "status")}}, rows.number(row, "n"));
    return {};
}

Result<> measure_blueprints(ControlStore& control, MeasurementText& out) {
    TARN_ASSIGN(auto rows,
                control.query("select blueprint_id, max(finished_at) as finished_at from _devlake_pipelines "
                              "where status = 'TASK_COMPLETED' and blueprint_id > 0 group by blueprint_id "
                              "order by blueprint_id"));
    out.begin("tarn_blueprint_last_success_timestamp_seconds", "gauge",
              "End of the blueprint's last pipeline that completed, seconds since 1970.");
    for (std::size_t row = 0; row < rows.rows.size(); ++row)
        out.value({{"blueprint", rows.text(row, "blueprint_id")}},
                  static_cast<double>(millis_of(rows, row, "finished_at")) / 1000);
    return {};
}

}  // namespace

Result<> measure_runs(const Home& home, MeasurementText& out) {
    auto& control = home.control();
    out.begin("tarn_pipelines", "gauge", "Pipelines by state.");
    TARN_TRY(measure_states(control, "_devlake_pipelines", out));
    out.begin("tarn_tasks", "gauge", "Tasks by state.");
    TARN_TRY(measure_states(control, "_devlake_tasks", out));
    TARN_ASSIGN(auto queued,
                control.query(fmt::format("select count(*) as n from _devlake_pipelines where status in {}",
                                          queued_states)));
    out.one("tarn_pipelines_queued", "gauge", "Pipelines that wait for their turn.", queued.number(0, "n"));
    return measure_blueprints(control, out);
}

void measure_store(const Home& home, MeasurementText& out) {
    auto state = home.data().state();
    out.one("tarn_data_file_bytes", "gauge", "Size of the data file with its log.", state.bytes);
    out.one("tarn_data_file_jobs_waiting", "gauge", "Jobs that wait for the data file's writer.",
            state.waiting);
    out.one("tarn_data_file_commits_total", "counter", "Transactions of the data file that were committed.",
            state.commits);
}

}  // namespace tarn::run
