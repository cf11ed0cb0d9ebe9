// The control store in one SQLite file. One connection, held by one thread at a time.
#include <sqlite3.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "store/control.h"

namespace tarn {
namespace {

constexpr int busy_timeout_ms = 10'000;
constexpr std::size_t max_cached_statements = 200;

ErrorKind kind_of(int code) {
    switch (code & 0xFF) {
        case SQLITE_CONSTRAINT:
        case SQLITE_TOOBIG:
        case SQLITE_MISMATCH: return ErrorKind::bad_data;
        case SQLITE_INTERRUPT: return ErrorKind::cancelled;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
        case SQLITE_NOMEM: return ErrorKind::terminal;
        default: return ErrorKind::bug;
    }
}

std::string next_step_of(int code) {
    switch (code & 0xFF) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return "Stop the other process that uses the file.";
        case SQLITE_FULL: return "Free disk space.";
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM: return "Check the rights and the disk of the data folder.";
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT: return "Restore the file from a backup.";
        default: return {};
    }
}

class Sqlite final : public ControlStore {
  public:
    Sqlite(sqlite3* raw, std::string path) : raw_(raw), path_(std::move(path)) {}
    ~Sqlite() override {
        drop_statements();
        sqlite3_close(raw_);
    }
    Sqlite(const Sqlite&) = delete;
    Sqlite& operator=(const Sqlite&) = delete;

    Result<> configure();
    Result<ControlRows> query(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<std::int64_t> run(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<std::int64_t> insert(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<> transaction(const std::function<Result<>()>& work) override;
    Result<> ensure(const Schema& schema) override;
    Result<Millis> next_stamp() override;
    [[nodiscard]] std::string clock() const override {
        return "cast((julianday('now') - 2440587.5) * 86400000 as integer)";
    }
    Result<> end_gone_writer() override { return {}; }

  private:
    using Row = std::function<void(sqlite3_stmt*)>;

    [[nodiscard]] Failure failure(const std::string& what = {}) const;
    Result<sqlite3_stmt*> prepared(const std::string& sql);
    Result<> bind(sqlite3_stmt* statement, const std::vector<ControlValue>& parameters) const;
    Result<> step_all(sqlite3_stmt* statement, const Row& row);
    Result<> execute(const std::string& sql, const std::vector<ControlValue>& parameters, const Row& row);
    Result<> plain(const char* sql);
    Result<> finish(const std::string& begun, const Result<>& outcome);
    Result<> ensure_table(const Table& table);
    void drop_statements();

    sqlite3* raw_;
    std::string path_;
    std::recursive_mutex mutex_;
    std::unordered_map<std::string, sqlite3_stmt*> statements_;
    int depth_ = 0;  // of transaction() calls
    Millis last_stamp_ = 0;
};

Failure Sqlite::failure(const std::string& what) const {
    int code = sqlite3_extended_errcode(raw_);
    std::string message = sqlite3_errmsg(raw_);
    return fail(kind_of(code), what.empty() ? message : what + ": " + message, path_, next_step_of(code));
}

void Sqlite::drop_statements() {
    for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    statements_.clear();
}

Result<> Sqlite::plain(const char* sql) {
    if (sqlite3_exec(raw_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure();
    return {};
}

Result<> Sqlite::configure() {
    sqlite3_busy_timeout(raw_, busy_timeout_ms);
    return plain(
        "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = off; pragma temp_store "
        "= memory");
}

Result<sqlite3_stmt*> Sqlite::prepared(const std::string& sql) {
    auto found = statements_.find(sql);
    if (found != statements_.end()) return found->second;
    // No statement is running here: each one is read to its end before the store is let go.
    if (statements_.size() >= max_cached_statements) drop_statements();
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v2(raw_, sql.c_str(), static_cast<int>(sql.size()) + 1, &statement, &rest) !=
        SQLITE_OK) {
        return failure("in \"" + sql + "\"");
    }
    if (statement == nullptr || !trimmed(rest).empty()) {
        sqlite3_finalize(statement);
        return fail(ErrorKind::bug, "not one statement: " + sql, path_);
    }
    statements_.emplace(sql, statement);
    return statement;
}

Result<> Sqlite::bind(sqlite3_stmt* statement, const std::vector<ControlValue>& parameters) const {
    int wanted = sqlite3_bind_parameter_count(statement);
    if (static_cast<std::size_t>(wanted) != parameters.size()) {
        return fail(ErrorKind::bug,
                    fmt::format("{} parameters for {} places in: {}", parameters.size(), wanted,
                                sqlite3_sql(statement)),
                    path_);
    }
    for (int i = 0; i < wanted; ++i) {
        const auto& value = parameters[static_cast<std::size_t>(i)];
        int code = SQLITE_OK;
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            code = sqlite3_bind_int64(statement, i + 1, *number);
        } else if (const auto* real = std::get_if<double>(&value)) {
            code = sqlite3_bind_double(statement, i + 1, *real);
        } else if (const auto* text = std::get_if<std::string>(&value)) {
            // The caller's text outlives the statement's run.
            code =
                sqlite3_bind_text64(statement, i + 1, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
        } else {
            code = sqlite3_bind_null(statement, i + 1);
        }
        if (code != SQLITE_OK) return failure();
    }
    return {};
}

Result<> Sqlite::step_all(sqlite3_stmt* statement, const Row& row) {
    while (true) {
        int code = sqlite3_step(statement);
        if (code == SQLITE_DONE) return {};
        if (code != SQLITE_ROW) return failure();
        row(statement);
    }
}

Result<> Sqlite::execute(const std::string& sql, const std::vector<ControlValue>& parameters,
                         const Row& row) {
    // A full disk rolls back by itself; what follows must not be committed statement by statement.
    if (depth_ > 0 && sqlite3_get_autocommit(raw_) != 0) {
        return fail(ErrorKind::terminal, "the transaction was rolled back by an earlier error", path_);
    }
    TARN_ASSIGN(sqlite3_stmt * statement, prepared(sql));
    auto outcome = bind(statement, parameters);
    if (outcome) outcome = step_all(statement, row);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return outcome;
}

ControlValue value_of(sqlite3_stmt* statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
        case SQLITE_INTEGER: return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
        case SQLITE_FLOAT: return sqlite3_column_double(statement, column);
        case SQLITE_NULL: return std::monostate{};
        default: {
            const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
            auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
            return bytes == nullptr ? std::string{} : std::string(bytes, size);
        }
    }
}

Result<ControlRows> Sqlite::query(const std::string& sql, const std::vector<ControlValue>& parameters) {
    std::lock_guard lock(mutex_);
    ControlRows out;
    auto name_columns = [&](sqlite3_stmt* statement) {
        for (int i = 0; i < sqlite3_column_count(statement); ++i)
            out.names.emplace_back(sqlite3_column_name(statement, i));
    };
    TARN_TRY(execute(sql, parameters, [&](sqlite3_stmt* statement) {
        if (out.names.empty()) name_columns(statement);
        std::vector<ControlValue> row;
        row.reserve(out.names.size());
        for (int i = 0; i < static_cast<int>(out.names.size()); ++i) row.push_back(value_of(statement, i));
        out.rows.push_back(std::move(row));
    }));
    if (out.names.empty()) name_columns(statements_.at(sql));
    return out;
}

Result<std::int64_t> Sqlite::run(const std::string& sql, const std::vector<ControlValue>& parameters) {
    std::lock_guard lock(mutex_);
    // DDL leaves the count of the statement before it.
    std::int64_t before = sqlite3_total_changes64(raw_);
    TARN_TRY(execute(sql, parameters, [](sqlite3_stmt*) {}));
    return sqlite3_total_changes64(raw_) == before ? 0 : sqlite3_changes64(raw_);
}

Result<std::int64_t> Sqlite::insert(const std::string& sql, const std::vector<ControlValue>& parameters) {
    std::lock_guard lock(mutex_);
    TARN_TRY(execute(sql, parameters, [](sqlite3_stmt*) {}));
    return static_cast<std::int64_t>(sqlite3_last_insert_rowid(raw_));
}

// Commits or takes back what `begun` (a savepoint's name, "" for the whole transaction) holds.
Result<> Sqlite::finish(const std::string& begun, const Result<>& outcome) {
    bool whole = begun.empty();
    if (outcome) {
        auto committed = plain(whole ? "commit" : ("release " + begun).c_str());
        if (committed || !whole) return committed;
        static_cast<void>(plain("rollback"));
        return committed;
    }
    // There is nothing left to roll back when SQLite did so by itself; the first error is the one to tell.
    if (whole) {
        static_cast<void>(plain("rollback"));
    } else {
        static_cast<void>(plain(("rollback to " + begun + "; release " + begun).c_str()));
    }
    return outcome;
}

Result<> Sqlite::transaction(const std::function<Result<>()>& work) {
    std::lock_guard lock(mutex_);
    std::string savepoint = depth_ == 0 ? "" : fmt::format("nested_{}", depth_);
    TARN_TRY(plain(depth_ == 0 ? "begin immediate" : ("savepoint " + savepoint).c_str()));
    ++depth_;
    Result<> outcome;
    {
        InControlTransaction inside;
        try {
            outcome = work();
        } catch (const std::exception& error) {
            outcome = fail(ErrorKind::bug, std::string("exception in a transaction: ") + error.what(), path_);
        }
    }
    if (outcome && sqlite3_get_autocommit(raw_) != 0) {
        outcome = fail(ErrorKind::terminal, "the transaction was rolled back by an earlier error", path_);
    }
    --depth_;
    return finish(savepoint, outcome);
}

Result<> Sqlite::ensure_table(const Table& table) {
    auto statements = sqlite_ddl(table);
    TARN_TRY(run(statements[0], {}));
    std::set<std::string> present;
    TARN_ASSIGN(auto info, query("select name from pragma_table_info(?)", {table.name}));
    for (std::size_t i = 0; i < info.rows.size(); ++i) present.insert(info.text(i, "name"));
    for (const auto& column : table.columns) {
        if (present.contains(column.name)) continue;
        // Old rows have no value for it, so it cannot be "not null" here.
        Table added;
        added.columns = {column};
        added.columns[0].not_null = false;
        auto ddl = sqlite_ddl(added)[0];
        auto first = ddl.find('(');
        TARN_TRY(run(fmt::format("alter table {} add column {}", sql_name(table.name),
                                 ddl.substr(first + 1, ddl.size() - first - 2)),
                     {}));
    }
    for (std::size_t i = 1; i < statements.size(); ++i) TARN_TRY(run(statements[i], {}));
    return {};
}

Result<> Sqlite::ensure(const Schema& schema) {
    return transaction([&]() -> Result<> {
        for (const auto& [name, table] : schema.tables()) {
            if (!table.control) continue;
            auto made = ensure_table(table);
            if (!made)
                return fail(made.error().kind, "table \"" + name + "\": " + made.error().message, table.place,
                            made.error().next_step);
        }
        return {};
    });
}

Result<Millis> Sqlite::next_stamp() {
    std::lock_guard lock(mutex_);
    // A stamp must be on the disk before it is used: a rolled back one could be given out again.
    if (depth_ > 0) return fail(ErrorKind::bug, "a stamp is asked for inside a control transaction", path_);
    if (last_stamp_ == 0) {
        TARN_ASSIGN(auto rows, query("select stamp from _tarn_stamps where name = 'last'", {}));
        if (!rows.rows.empty()) last_stamp_ = rows.number(0, "stamp");
    }
    Millis stamp = std::max(now_millis(), last_stamp_ + 1);
    TARN_TRY(
        run("insert into _tarn_stamps (name, stamp) values ('last', ?) on conflict (name) do update set "
            "stamp = excluded.stamp",
            {stamp}));
    last_stamp_ = stamp;
    return stamp;
}

}  // namespace

Result<std::unique_ptr<ControlStore>> open_sqlite(const std::string& path) {
    sqlite3* raw = nullptr;
    int code = sqlite3_open_v2(path.c_str(), &raw,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) {
        std::string message = raw == nullptr ? "no memory" : sqlite3_errmsg(raw);
        sqlite3_close(raw);
        return fail(ErrorKind::terminal, message, path, next_step_of(code));
    }
    auto store = std::make_unique<Sqlite>(raw, path);
    TARN_TRY(store->configure());
    return std::unique_ptr<ControlStore>(std::move(store));
}

}  // namespace tarn
