// DuckDB through its C API: open, run, read.
//
// A Database may be shared by threads; a Connection is used by one thread at a time (interrupt() alone may come from another).
// Errors: SQL that does not parse or bind is `bug`, conversion failures are `bad_data`, a full disk or memory limit is
// `terminal`, interrupted statements are `cancelled`.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::duck {

constexpr int row_group_rows = 4096;  // of a data file

// A value in text form: booleans true/false, times "2026-11-23 13:55:38.123456", as DuckDB casts to VARCHAR. nullopt is NULL.
using Text = std::optional<std::string>;
using View = std::optional<std::string_view>;

struct Rows {
    std::vector<std::string> names;
    std::vector<std::string> types;  // DuckDB's type names
    std::vector<std::vector<Text>> rows;
};

struct Options {
    std::string memory_limit;  // "400MB"; empty: DuckDB's default
    int threads = 0;           // 0: all cores
    std::string temp_directory;
    std::int64_t batch_bytes = 144'000'000;  // store/memory_limit.h
};

class Scratch;
class Connection;

// Sees what a connection changes (store/server/write_through.h).
class Watcher {
  public:
    virtual ~Watcher() = default;
    // In place of Connection::run(): runs the statements.
    virtual Result<std::int64_t> run(Connection& connection, const std::string& sql) = 0;
    virtual void appends_to(const std::string& table) = 0;
};

class Connection {
  public:
    Connection(duckdb_connection raw, Scratch* scratch) : raw_(raw), scratch_(scratch) {}
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // One or several statements; the result is dropped. Value: rows changed by the last one.
    Result<std::int64_t> run(const std::string& sql);
    Result<Rows> query(const std::string& sql);
    // The first column of the first row; nullopt where there is no row or it is NULL.
    Result<Text> value(const std::string& sql);
    Result<std::int64_t> number(const std::string& sql);  // value as integer, 0 for NULL or none
    Result<std::vector<std::int64_t>> numbers(
        const std::string& sql);  // the first row, 0 for NULL; empty where there is none
    // Gives each row's values in text form to `row` when the select has run.
    Result<> each(const std::string& sql, const std::function<void(const std::vector<Text>&)>& row);
    // As each(), while the select still runs, for results that the memory does not hold. `row` may end it with an error of its own.
    Result<> stream(const std::string& select, const std::function<Result<>(const std::vector<Text>&)>& row);
    // The rows of a select of texts alone, while it still runs, without a copy: the values last until `row` returns.
    Result<> views(const std::string& select, const std::function<void(const std::vector<View>&)>& row);
    // Runs the select and hands over its columns' types, then its chunks, which the takers own. Chunks come while it still runs.
    Result<> chunks(const std::string& select,
                    const std::function<void(const std::string& name, duckdb_logical_type type)>& column,
                    const std::function<void(duckdb_data_chunk chunk)>& chunk);
    // Names and types of a select's columns, without running it.
    Result<Rows> describe(const std::string& select);
    // Tables that the statement reads, as written, each once.
    Result<std::vector<std::string>> tables_of(const std::string& select);

    // One core for the statements of all connections of the database from now on, or all cores. What is small takes a fifth less CPU
    // on one.
    Result<> use_cores(bool all);
    void interrupt();
    // All that run() and appenders do goes by way of the watcher; nullptr: by none.
    void watch(Watcher* watcher) { watcher_ = watcher; }
    [[nodiscard]] Watcher* watcher() const { return watcher_; }
    Result<std::int64_t> run_unwatched(const std::string& sql);
    [[nodiscard]] duckdb_connection raw() const { return raw_; }
    [[nodiscard]] Scratch& scratch() const { return *scratch_; }  // of the database

  private:
    duckdb_connection raw_;
    Scratch* scratch_;
    Watcher* watcher_ = nullptr;
};

class Database {
  public:
    // `path` ":memory:" or a file. terminal: cannot be opened.
    static Result<std::unique_ptr<Database>> open(const std::string& path, const Options& options);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Result<std::unique_ptr<Connection>> connect();
    [[nodiscard]] duckdb_database raw() const { return raw_; }

  private:
    explicit Database(duckdb_database raw);
    Result<> attach(const std::string& path);
    duckdb_database raw_;
    std::unique_ptr<Scratch> scratch_;
    bool is_file_ = false;
};

// Fast row-wise loading into a table: the named columns in this order (the others become NULL), without names all in the table's order.
class Appender {
  public:
    static Result<std::unique_ptr<Appender>> open(Connection& connection, const std::string& table,
                                                  const std::vector<std::string>& columns = {});
    ~Appender();
    Appender(const Appender&) = delete;
    Appender& operator=(const Appender&) = delete;

    void text(std::string_view value);
    void number(std::int64_t value);
    void time(std::int64_t millis);
    void null();
    Result<> end_row();
    Result<> close();

  private:
    explicit Appender(duckdb_appender raw) : raw_(raw) {}
    duckdb_appender raw_;
};

}  // namespace tarn::duck
