#include "run/running_tasks.h"

namespace tarn::run {

void RunningTasks::measure(MeasurementText& out) const {
    std::lock_guard lock(mutex_);
    auto rows = [&](std::string_view name, std::string_view help, std::int64_t OfPlugin::*count) {
        out.begin(name, "counter", help);
        for (const auto& [plugin, numbers] : plugins_) out.value({{"plugin", plugin}}, numbers.*count);
    };
    out.begin("tarn_tasks_ended_total", "counter", "Tasks that ended in this process, by state.");
    for (const auto& [plugin, numbers] : plugins_) {
        for (const auto& [status, count] : numbers.ended)
            out.value({{"plugin", plugin}, {"status", status}}, count);
    }
    out.begin("tarn_task_duration_seconds", "histogram",
              "How long tasks took, from their begin to their end.");
    for (const auto& [plugin, numbers] : plugins_) out.durations({{"plugin", plugin}}, numbers.durations);
    rows("tarn_rows_written_total", "Rows added or changed by completed tasks.", &OfPlugin::written);
    rows("tarn_rows_deleted_total", "Rows deleted by completed tasks.", &OfPlugin::deleted);
    rows("tarn_items_rejected_total", "Items that completed tasks put aside.", &OfPlugin::rejected);
}

}  // namespace tarn::run
