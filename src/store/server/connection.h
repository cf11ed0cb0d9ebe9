// One connection to a database server, MySQL or PostgreSQL.
//
// Statements are written with `?` for parameters and "double quotes" for names on both. Sessions are UTC, UTF-8, strict about values,
// and read committed. Values come as in the control store: integers, reals, text; booleans are 0 and 1, times "2026-11-23 13:55:38.123".
// Errors: transient (dead-lock, lock wait, lost connection, server starting or full of connections), terminal (login, privileges, read-only,
// disk full, unknown database), bad_data (constraint, value that does not fit), bug (SQL). On both a failed statement takes nothing
// else of its transaction with it, except that a transient error may end the transaction.
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/control.h"
#include "store/server/db_url.h"

namespace tarn::server {

using Field = std::optional<std::string_view>;  // nullopt is NULL

class Connection {
  public:
    virtual ~Connection() = default;

    [[nodiscard]] virtual Engine engine() const = 0;

    virtual Result<ControlRows> query(const std::string& sql,
                                      const std::vector<ControlValue>& parameters = {}) = 0;
    // Value: rows changed.
    virtual Result<std::int64_t> run(const std::string& sql,
                                     const std::vector<ControlValue>& parameters = {}) = 0;
    // A statement that is not worth preparing.
    virtual Result<> run_once(const std::string& sql) = 0;
    // Value: the new row's auto-increment id.
    virtual Result<std::int64_t> insert(const std::string& sql,
                                        const std::vector<ControlValue>& parameters = {}) = 0;
    // Gives the rows of a select as they come, in the server's text form (binary columns as bytes), without keeping the result.
    // `row` may end it with an error of its own. The fields live as long as the call.
    virtual Result<> each(const std::string& select,
                          const std::function<Result<>(const std::vector<Field>&)>& row) = 0;
    // Adds rows in the text form of store/server/rows_text.h. On MySQL a row of a known key replaces the old one; on PostgreSQL it is
    // bad_data. Nothing is cut or changed silently. Value: rows given.
    virtual Result<std::int64_t> load(const std::string& table, const std::vector<std::string>& columns,
                                      const std::string& rows_text) = 0;

    // Not nested. After a failed commit of a lost connection the outcome is unknown.
    virtual Result<> begin() = 0;
    virtual Result<> commit() = 0;
    virtual void rollback() = 0;

    // False when the server is known to be gone; reconnect() makes a new session (temporary tables and prepared statements are lost).
    [[nodiscard]] virtual bool alive() const = 0;
    virtual Result<> reconnect() = 0;
};

// `work`, and the commit of what it did; an error of it takes all back. Not nested.
Result<> in_transaction(Connection& connection, const std::function<Result<>()>& work);

// Errors: those above; place is the URL without password.
Result<std::unique_ptr<Connection>> connect(const DbUrl& url);

}  // namespace tarn::server
