#include "run/subtask_rows.h"

#include <algorithm>

#include "base/text.h"
#include "run/stages.h"

namespace tarn::run {
namespace {

bool is_collector(const std::string& name) {
    return collects(name) || lower(name).find("clone git repo") != std::string::npos;
}

}  // namespace

void SubtaskRows::keep(const Result<std::int64_t>& done) {
    if (!done && kept_) kept_ = fail(done.error());
}

Result<> SubtaskRows::begin(const connector::Connector& connector, const std::vector<std::string>& subtasks) {
    TARN_TRY(control_.run("delete from _devlake_subtasks where task_id = ?", {task_id_}));
    std::int64_t number = 0, collectors = 0, others = 0;
    auto now = format_sql(now_millis());
    for (const auto& subtask : connector.subtasks) {
        ++number;
        if (std::ranges::find(subtasks, subtask.name) == subtasks.end()) continue;
        Row row;
        row.number = number;
        row.collector = is_collector(subtask.name);
        std::int64_t sequence = row.collector ? ++collectors : ++others;
        TARN_ASSIGN(row.id, control_.insert("insert into _devlake_subtasks (created_at, updated_at, task_id, "
                                            "name, number, sequence, is_collector, "
                                            "is_failed, finished_records, spent_seconds, message) values (?, "
                                            "?, ?, ?, ?, ?, ?, false, 0, 0, '')",
                                            {now, now, task_id_, subtask.name, number, sequence,
                                             std::int64_t{row.collector}}));
        rows_[subtask.name] = row;
    }
    return {};
}

void SubtaskRows::begin_row(Row& row) {
    row.began = now_millis();
    row.finished = false;
    auto now = format_sql(row.began);
    keep(control_.run("update _devlake_subtasks set began_at = ?, updated_at = ? where id = ?",
                      {now, now, row.id}));
}

void SubtaskRows::finish_row(Row& row) {
    row.finished = true;
    Millis end = now_millis();
    auto now = format_sql(end);
    keep(
        control_.run("update _devlake_subtasks set finished_at = ?, updated_at = ?, spent_seconds = ?, "
                     "finished_records = ? "
                     "where id = ?",
                     {now, now, (end - row.began) / 1000, row.items, row.id}));
}

void SubtaskRows::told(const Progress& progress) {
    auto row = rows_.find(progress.subtask);
    if (row != rows_.end()) {
        last_ = progress.subtask;
        if (row->second.began == 0) {
            begin_row(row->second);
            log_->info("{} begins", progress.subtask);
        }
        // Another stream or model of the subtask goes on where one has ended.
        if (progress.items > row->second.items) row->second.finished = false;
        row->second.items = std::max(row->second.items, progress.items);
    }
    tell_detail(progress);
    if (progress.done == done_ || progress.total == 0) return;
    done_ = progress.done;
    for (auto& [name, other] : rows_) {
        // A collector tells its own end; models tell theirs together.
        bool ended = other.began != 0 && !other.finished && (name == last_ || !other.collector);
        if (ended) finish_row(other);
    }
    keep(control_.run("update _devlake_tasks set progress = ?, updated_at = ? where id = ?",
                      {static_cast<double>(done_) / static_cast<double>(progress.total),
                       format_sql(now_millis()), task_id_}));
}

void SubtaskRows::tell_detail(const Progress& progress) {
    TaskProgress detail;
    detail.subtasks = rows_.size();
    for (const auto& [name, row] : rows_) detail.finished_subtasks += row.finished ? 1 : 0;
    detail.items = progress.items;
    detail.subtask = progress.subtask;
    auto row = rows_.find(progress.subtask);
    if (row != rows_.end()) detail.subtask_number = row->second.number;
    running_.put(task_id_, detail);
}

std::string SubtaskRows::failed_subtask(const Error& error) const {
    for (const auto& [name, row] : rows_) {
        if (error.place == name || error.place.starts_with(name + ",")) return name;
    }
    return last_.empty() ? "unknown" : last_;
}

Result<std::string> SubtaskRows::end(const Result<TaskSummary>& outcome) {
    std::string failed;
    if (!outcome) {
        failed = failed_subtask(outcome.error());
        auto row = rows_.find(failed);
        if (row != rows_.end()) {
            keep(control_.run("update _devlake_subtasks set is_failed = true, message = ? where id = ?",
                              {outcome.error().text(), row->second.id}));
        }
    }
    for (auto& [name, row] : rows_) {
        if (row.began != 0 && !row.finished) finish_row(row);
        if (row.began == 0 && outcome) {
            begin_row(row);
            finish_row(row);
        }
    }
    if (!kept_) return fail(kept_.error());
    return failed;
}

}  // namespace tarn::run
