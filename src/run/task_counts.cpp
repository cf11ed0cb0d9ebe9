#include "run/task_counts.h"

#include <xxhash.h>

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

// The same for tasks that do the same work.
std::string work_of(const std::string& plugin, const Json& options) {
    auto text = plugin + options.dump(-1, ' ', false, Json::error_handler_t::replace);
    return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

struct Row {
    std::string layer, name;
    ControlValue said, seen, added, changed, deleted, put_aside, requests, milliseconds;
};

std::vector<Row> rows_of(const TaskSummary& summary) {
    std::vector<Row> out;
    out.push_back({.layer = "task",
                   .put_aside = summary.rejected,
                   .requests = summary.requests,
                   .milliseconds = summary.milliseconds});
    for (const auto& [name, stream] : summary.streams) {
        Row row{.layer = "stream", .name = name};
        if (stream.said >= 0) row.said = stream.said;
        row.seen = stream.rows.seen;
        row.requests = stream.requests;
        out.push_back(std::move(row));
    }
    for (const auto& [name, table] : summary.tables)
        out.push_back({.layer = "table",
                       .name = name,
                       .added = table.added,
                       .changed = table.changed,
                       .deleted = table.deleted});
    return out;
}

std::string difference(const std::string& stream, std::int64_t said, std::int64_t seen) {
    return fmt::format("{}: the source says {} items, its list had {}", stream, said, seen);
}

void show_stream(const ControlRows& rows, std::size_t row, Json& task) {
    auto name = rows.text(row, "name");
    auto seen = rows.number(row, "seen");
    bool told = !rows.is_null(row, "said");
    task["streams"].push_back({{"name", name},
                               {"sourceSaid", told ? Json(rows.number(row, "said")) : Json()},
                               {"seen", seen},
                               {"requests", rows.number(row, "requests")}});
    if (told && rows.number(row, "said") != seen)
        task["problems"].push_back(difference(name, rows.number(row, "said"), seen));
}

void show(const ControlRows& rows, std::size_t row, Json& task) {
    auto layer = rows.text(row, "layer");
    if (layer == "task") {
        task["requests"] = rows.number(row, "requests");
        task["milliseconds"] = rows.number(row, "milliseconds");
        task["putAside"] = rows.number(row, "put_aside");
    } else if (layer == "stream") {
        show_stream(rows, row, task);
    } else {
        task["tables"].push_back({{"name", rows.text(row, "name")},
                                  {"added", rows.number(row, "added")},
                                  {"changed", rows.number(row, "changed")},
                                  {"deleted", rows.number(row, "deleted")}});
    }
}

}  // namespace

Result<std::vector<std::string>> TaskCounts::save(std::int64_t task_id, const std::string& plugin,
                                                  const Json& options, const TaskSummary& summary) const {
    auto now = format_sql(now_millis());
    auto work = work_of(plugin, options);
    TARN_TRY(control_.transaction([&]() -> Result<> {
        TARN_TRY(control_.run("delete from _tarn_task_counts where task_id = ?", {task_id}));
        for (const auto& row : rows_of(summary)) {
            TARN_TRY(control_.run(
                "insert into _tarn_task_counts (task_id, layer, name, work, said, seen, added, changed, "
                "deleted, put_aside, requests, milliseconds, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, "
                "?, ?, ?, ?)",
                {task_id, row.layer, row.name, work, row.said, row.seen, row.added, row.changed, row.deleted,
                 row.put_aside, row.requests, row.milliseconds, now}));
        }
        return {};
    }));
    std::vector<std::string> problems;
    for (const auto& [name, stream] : summary.streams) {
        if (stream.said >= 0 && stream.said != stream.rows.seen)
            problems.push_back(difference(name, stream.said, stream.rows.seen));
    }
    return problems;
}

Result<Json> TaskCounts::counts(std::int64_t pipeline_id) const {
    TARN_ASSIGN(auto rows,
                control_.query("select c.*, t.plugin from _tarn_task_counts c join _devlake_tasks t "
                               "on t.id = c.task_id where t.pipeline_id = ? order by c.task_id, "
                               "c.layer, c.name",
                               {pipeline_id}));
    Json tasks = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        auto id = rows.number(row, "task_id");
        if (tasks.empty() || tasks.back()["taskId"] != id)
            tasks.push_back({{"taskId", id},
                             {"plugin", rows.text(row, "plugin")},
                             {"streams", Json::array()},
                             {"tables", Json::array()},
                             {"problems", Json::array()}});
        show(rows, row, tasks.back());
    }
    return Json{{"tasks", std::move(tasks)}};
}

Result<Json> TaskCounts::estimate(const Json& plan) const {
    std::int64_t tasks = 0, unknown = 0, requests = 0, milliseconds = 0;
    for (const auto& stage : plan) {
        std::int64_t longest = 0;
        for (const auto& task : stage) {
            ++tasks;
            TARN_ASSIGN(
                auto rows,
                control_.query("select count(*) as n, avg(requests) as requests, avg(milliseconds) as "
                               "milliseconds from (select requests, milliseconds from "
                               "_tarn_task_counts where work = ? and layer = 'task' order by task_id "
                               "desc limit 3) as last",
                               {work_of(task.value("plugin", ""), task.value("options", Json::object()))}));
            if (rows.number(0, "n") == 0) ++unknown;
            requests += rows.number(0, "requests");
            longest = std::max(longest, rows.number(0, "milliseconds"));
        }
        milliseconds += longest;
    }
    return Json{{"tasks", tasks},
                {"unknownTasks", unknown},
                {"requests", requests},
                {"seconds", static_cast<double>(milliseconds) / 1000}};
}

}  // namespace tarn::run
