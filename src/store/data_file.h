// The data file: all raw, tool and domain rows, in DuckDB, with one writer.
//
// write() runs a job on the writer thread in one transaction: committed when the job succeeds, rolled back when it fails. Jobs run
// one after the other. reader() gives a connection that sees committed rows only.
// Thread rule: any thread; a job must not call write().
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "store/duck.h"
#include "store/schema.h"

namespace tarn {

class DataFile {
  public:
    using Job = std::function<Result<>(duck::Connection&)>;

    // `path` ":memory:" or a file.
    static Result<std::unique_ptr<DataFile>> open(const std::string& path, const duck::Options& options);
    ~DataFile();
    DataFile(const DataFile&) = delete;
    DataFile& operator=(const DataFile&) = delete;

    Result<> write(Job job);
    // As write(), without the transaction: for DDL, pragmas and checkpoints.
    Result<> exclusive(Job job);
    Result<std::unique_ptr<duck::Connection>> reader() { return database_->connect(); }

    // Makes declared data tables that are not there and adds columns that are missing (control tables as mirrors, without secrets).
    Result<> ensure(const Schema& schema);
    [[nodiscard]] duck::Database& database() { return *database_; }

  private:
    DataFile() = default;
    Result<> submit(Job job, bool in_transaction);
    void loop();

    struct Task {
        Job job;
        bool in_transaction = true;
        std::promise<Result<>> done;
    };
    std::unique_ptr<duck::Database> database_;
    std::unique_ptr<duck::Connection> writer_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Task> queue_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace tarn
