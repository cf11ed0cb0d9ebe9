// The data file: all raw, tool and domain rows, in DuckDB, with one writer.
//
// write() runs a job on the writer thread in one transaction: committed when the job succeeds, rolled back when it fails. Jobs run
// one after the other. reader() gives a connection that sees committed rows only.
// Thread rule: any thread; a job must not call write().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "store/duck.h"
#include "store/schema.h"

namespace tarn {

// SQL of the file's number among those that are caches of one database; 0 where it is none.
inline constexpr const char* data_file_number =
    "coalesce((select max(stamp) from main._tarn_parts where table_name = '' and params = 'data file'), 0)";

// Takes what each transaction of write() has changed to where the truth is, before the file commits it.
class DataSink {
  public:
    virtual ~DataSink() = default;
    // Called by the writer thread in this order: begin, the job, then commit or rollback; after commit, `done` says whether the file
    // has committed too. An error of commit() takes the job back. begin() makes the file current.
    virtual Result<> begin(duck::Connection& writer) = 0;
    virtual Result<> commit(duck::Connection& writer) = 0;
    virtual void rollback(duck::Connection& writer) = 0;
    virtual void done(duck::Connection& writer, bool file_committed) = 0;
    // Makes the file current, outside of a job.
    virtual Result<> catch_up(duck::Connection& writer) = 0;
    // A table gets or loses a column, before the file's does; by the writer thread, outside of a job. Again is no error.
    virtual Result<> add_column(const std::string& table, const Column& column) = 0;
    virtual Result<> drop_column(const std::string& table, const std::string& column) = 0;
};

class DataFile {
  public:
    using Job = std::function<Result<>(duck::Connection&)>;

    // `path` ":memory:" or a file.
    static Result<std::unique_ptr<DataFile>> open(const std::string& path, const duck::Options& options);
    ~DataFile();
    DataFile(const DataFile&) = delete;
    DataFile& operator=(const DataFile&) = delete;

    Result<> write(Job job);
    // From now on all writes pass by the sink, which outlives the file. Before any write.
    void pass_by(DataSink* sink) { sink_ = sink; }
    // As write(), without the transaction: for DDL, pragmas and checkpoints.
    Result<> exclusive(Job job);
    // Others write to where the truth is: readers see what they wrote up to the last write() or catch_up() of this process.
    [[nodiscard]] bool shared() const { return sink_ != nullptr; }
    Result<> catch_up();
    // Columns beyond the declared ones; nothing where the column is there, or not there.
    Result<> add_column(const std::string& table, const Column& column);
    Result<> drop_column(const std::string& table, const std::string& column);
    Result<std::unique_ptr<duck::Connection>> reader() { return database_->connect(); }

    // Makes declared data tables that are not there and adds columns that are missing (control tables as mirrors, without secrets).
    Result<> ensure(const Schema& schema);
    struct State {
        std::int64_t bytes = 0;  // of the file and its log
        std::int64_t waiting = 0, commits = 0;
    };
    [[nodiscard]] State state();
    [[nodiscard]] duck::Database& database() { return *database_; }
    // Of rows that are worked on at a time.
    [[nodiscard]] std::int64_t batch_bytes() const { return batch_bytes_; }

  private:
    DataFile() = default;
    Result<> submit(Job job, bool in_transaction);
    struct Task {
        Job job;
        bool in_transaction = true;
        std::promise<Result<>> done;
    };
    Result<> in_transaction(const Job& job);
    Result<> do_job(const Task& task);
    std::optional<Task> next_task();
    void loop();

    std::string path_;
    std::int64_t batch_bytes_ = 0;
    std::atomic<std::int64_t> commits_ = 0;
    std::unique_ptr<duck::Database> database_;
    std::unique_ptr<duck::Connection> writer_;
    DataSink* sink_ = nullptr;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Task> queue_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace tarn
