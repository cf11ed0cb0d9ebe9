#include "store/data_file.h"

#include <chrono>
#include <exception>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "store/control.h"

namespace tarn {
namespace {

// Rare check-points cost less writing; the log that is read again after a crash stays near this size.
constexpr const char* checkpoint_threshold = "128MB";
// Then readers have all cores again: not between the jobs of a run, each change starts threads.
constexpr auto idle_after = std::chrono::milliseconds(50);

Result<> run_job(const DataFile::Job& job, duck::Connection& connection) {
    try {
        return job(connection);
    } catch (const std::exception& error) {
        return fail(ErrorKind::bug, std::string("exception in a data file job: ") + error.what());
    }
}

}  // namespace

Result<std::unique_ptr<DataFile>> DataFile::open(const std::string& path, const duck::Options& options) {
    std::unique_ptr<DataFile> file(new DataFile());
    file->path_ = path;
    file->batch_bytes_ = options.batch_bytes;
    TARN_ASSIGN(file->database_, duck::Database::open(path, options));
    TARN_ASSIGN(file->writer_, file->database_->connect());
    TARN_TRY(file->writer_->run(fmt::format("set global checkpoint_threshold = '{}'", checkpoint_threshold)));
    // With DuckDB's 1 MB all threads but one wait for the reader of a result at each chunk of long texts.
    TARN_TRY(file->writer_->run(fmt::format("set streaming_buffer_size = '{}B'", file->batch_bytes_ / 4)));
    file->thread_ = std::thread([raw = file.get()] { raw->loop(); });
    return file;
}

// The job's changes go by the sink before the file commits them.
Result<> DataFile::in_transaction(const Job& job) {
    auto& writer = *writer_;
    if (sink_ != nullptr) TARN_TRY(sink_->begin(writer));
    Result<> outcome;
    if (auto begun = writer.run_unwatched("begin transaction"); !begun) {
        outcome = fail(begun.error());
    } else {
        outcome = run_job(job, writer);
    }
    if (outcome && sink_ != nullptr) outcome = sink_->commit(writer);
    if (!outcome) {
        // A failed statement may have ended the transaction already; the first error is the one to tell.
        static_cast<void>(writer.run_unwatched("rollback"));
        if (sink_ != nullptr) sink_->rollback(writer);
        return outcome;
    }
    auto committed = writer.run_unwatched("commit");
    if (!committed) static_cast<void>(writer.run_unwatched("rollback"));
    if (sink_ != nullptr) sink_->done(writer, committed.has_value());
    if (!committed) return fail(committed.error());
    ++commits_;
    return {};
}

DataFile::~DataFile() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Result<> DataFile::write(Job job) { return submit(std::move(job), true); }
Result<> DataFile::exclusive(Job job) { return submit(std::move(job), false); }

Result<> DataFile::add_column(const std::string& table, const Column& column) {
    return exclusive([&](duck::Connection& writer) -> Result<> {
        if (sink_ != nullptr) TARN_TRY(sink_->add_column(table, column));
        TARN_TRY(writer.run(fmt::format("alter table {} add column if not exists {} {}", sql_name(table),
                                        sql_name(column.name), duck_type(column))));
        return {};
    });
}

Result<> DataFile::drop_column(const std::string& table, const std::string& column) {
    return exclusive([&](duck::Connection& writer) -> Result<> {
        TARN_TRY(writer.run(
            fmt::format("alter table {} drop column if exists {}", sql_name(table), sql_name(column))));
        return sink_ == nullptr ? Result<>{} : sink_->drop_column(table, column);
    });
}

DataFile::State DataFile::state() {
    State state{.commits = commits_};
    for (const auto& path : {path_, path_ + ".wal"}) {
        std::error_code missing;
        auto bytes = std::filesystem::file_size(path, missing);
        if (!missing) state.bytes += static_cast<std::int64_t>(bytes);
    }
    std::lock_guard lock(mutex_);
    state.waiting = static_cast<std::int64_t>(queue_.size());
    return state;
}

Result<> DataFile::catch_up() {
    if (sink_ == nullptr) return {};
    return exclusive([this](duck::Connection& writer) { return sink_->catch_up(writer); });
}

Result<> DataFile::submit(Job job, bool in_transaction) {
    if (std::this_thread::get_id() == thread_.get_id())
        return fail(ErrorKind::bug, "a data file job waits for another one");
    if (in_control_transaction())
        return fail(ErrorKind::bug, "a control transaction waits for the data file");
    std::future<Result<>> done;
    {
        std::lock_guard lock(mutex_);
        queue_.push_back(Task{std::move(job), in_transaction, {}});
        done = queue_.back().done.get_future();
    }
    wake_.notify_one();
    return done.get();
}

// Most jobs are small; one that is not asks for all cores.
Result<> DataFile::do_job(const Task& task) {
    TARN_TRY(writer_->use_cores(false));
    return task.in_transaction ? in_transaction(task.job) : run_job(task.job, *writer_);
}

std::optional<DataFile::Task> DataFile::next_task() {
    std::unique_lock lock(mutex_);
    auto called = [&] { return stopping_ || !queue_.empty(); };
    if (!wake_.wait_for(lock, idle_after, called)) {
        lock.unlock();
        if (auto freed = writer_->use_cores(true); !freed) log()->warn("{}", freed.error().text());
        lock.lock();
        wake_.wait(lock, called);
    }
    if (queue_.empty()) return std::nullopt;
    auto task = std::move(queue_.front());
    queue_.pop_front();
    return task;
}

void DataFile::loop() {
    while (auto task = next_task()) task->done.set_value(do_job(*task));
}

Result<> DataFile::ensure(const Schema& schema) {
    return write([&](duck::Connection& connection) -> Result<> {
        std::map<std::string, std::set<std::string>, std::less<>> present;
        TARN_TRY(
            connection.each("select table_name, column_name from duckdb_columns() where not internal and "
                            "database_name = current_database()",
                            [&](const std::vector<duck::Text>& row) { present[*row[0]].insert(*row[1]); }));
        for (const auto& [name, table] : schema.tables()) {
            auto columns = present.find(name);
            if (columns == present.end()) {
                TARN_TRY(connection.run(duck_ddl(table)));
                continue;
            }
            for (const auto& column : table.columns) {
                if (column.secret || columns->second.contains(column.name)) continue;
                TARN_TRY(connection.run(fmt::format("alter table {} add column {} {}", sql_name(name),
                                                    sql_name(column.name), duck_type(column))));
            }
        }
        return {};
    });
}

}  // namespace tarn
