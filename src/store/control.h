// The control store: few, small, precious rows (connections, scopes, scope configs, pipelines, tasks, states).
//
// One interface for SQLite and database servers (store/server/control.h): portable SQL with `?` parameters. Names are unquoted or quoted with
// double quotes. Booleans are `true` and `false` in SQL, 1 and 0 as values. Times are text "2026-11-23 13:55:38.123" (UTC) in every home.
// Thread rule: any thread; a transaction holds the store for its duration.
// Errors: terminal (disk full, locked by another process), bad_data (constraint), bug (SQL).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/schema.h"

namespace tarn {

using ControlValue = std::variant<std::monostate, std::int64_t, double, std::string>;

struct ControlRows {
    std::vector<std::string> names;
    std::vector<std::vector<ControlValue>> rows;
    // Value of a column in text form ("" for NULL or an unknown column).
    [[nodiscard]] std::string text(std::size_t row, std::string_view column) const;
    [[nodiscard]] std::int64_t number(std::size_t row, std::string_view column) const;
    [[nodiscard]] bool is_null(std::size_t row, std::string_view column) const;
};

class ControlStore {
  public:
    virtual ~ControlStore() = default;

    virtual Result<ControlRows> query(const std::string& sql,
                                      const std::vector<ControlValue>& parameters = {}) = 0;
    // Value: rows changed.
    virtual Result<std::int64_t> run(const std::string& sql,
                                     const std::vector<ControlValue>& parameters = {}) = 0;
    // Value: the new row's auto-increment id.
    virtual Result<std::int64_t> insert(const std::string& sql,
                                        const std::vector<ControlValue>& parameters = {}) = 0;
    // All of `work` or nothing. Calls from within `work` take part in it; a nested transaction that fails takes back its own part.
    // `work` must not wait for a write to the data file (the writer may be waiting for a stamp): DataFile refuses it.
    virtual Result<> transaction(const std::function<Result<>()>& work) = 0;
    // Makes declared control tables that are not there, adds columns that are missing.
    virtual Result<> ensure(const Schema& schema) = 0;
    // A stamp larger than all before (docs/architecture.md, "Stamps"), safe across crashes and clock steps: it is on the disk before
    // it is given out, and so refused (bug) inside a transaction. Needs the table _tarn_stamps.
    virtual Result<Millis> next_stamp() = 0;
    // SQL of the time in ms by the clock that all who use the store share.
    [[nodiscard]] virtual std::string clock() const = 0;
    // Ends the session that holds the lock for writing data where its process is no longer heard of (store/presence.h); of a store of one
    // process there is none.
    virtual Result<> end_gone_writer() = 0;
};

// A condition with one parameter, like_pattern(): texts that hold this one, in upper or lower case; its `%` and `_` are themselves. (Stores
// differ in what `like` alone makes of the case.)
std::string holds_text(const std::string& column);
std::string like_pattern(const std::string& text);

// The insert of one row, a parameter for each column.
std::string insert_of(const std::string& table, const std::vector<std::string>& columns);

// Whether the calling thread is inside transaction().
bool in_control_transaction();

// For implementations: the calling thread is inside as long as one lives.
class InControlTransaction {
  public:
    InControlTransaction();
    ~InControlTransaction();
    InControlTransaction(const InControlTransaction&) = delete;
    InControlTransaction& operator=(const InControlTransaction&) = delete;
};

// File is made where missing. Durable: a committed transaction survives kill -9 and power loss (WAL, synchronous=FULL).
Result<std::unique_ptr<ControlStore>> open_sqlite(const std::string& path);

}  // namespace tarn
