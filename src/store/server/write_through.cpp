#include "store/server/write_through.h"

#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "store/server/ddl.h"
#include "store/server/hold.h"
#include "store/server/statements.h"

namespace tarn::server {
namespace {

// DuckDB numbers the rows that a transaction has added from here on until it commits.
constexpr const char* added_rows = "rowid >= 36028797018960000";
constexpr const char* updated_table = "tarn_updated_keys";
constexpr std::size_t chunk_bytes = 4'000'000;
constexpr std::size_t keys_at_once = 200;
constexpr int tries = 6;
constexpr int first_wait_ms = 100;
constexpr int wait_seconds = 5, longest_wait_seconds = 600;

bool is_local(const std::string& name) {
    return name == "_tarn_seen" || name == "_tarn_check_points" || name == "_tarn_parts";
}

std::string name_list(const std::vector<std::string>& names) {
    std::vector<std::string> out;
    out.reserve(names.size());
    for (const auto& name : names) out.push_back(sql_name(name));
    return join(out, ", ");
}

std::string literal(const Field& value, Engine engine) {
    if (!value) return "null";
    auto text = sql_text(*value);
    return engine == Engine::mysql ? replaced(text, "\\", "\\\\") : text;
}

Error refused(Error error, const std::string& table) {
    if (error.kind == ErrorKind::bad_data || error.kind == ErrorKind::bug) {
        error.kind = ErrorKind::terminal;
        error.next_step = "Tell the maintainers: the database takes less than the declared schema.";
    }
    error.message = "table " + table + ": " + error.message;
    return error;
}

}  // namespace

WriteThrough::WriteThrough(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

// ---- the lock

Result<> WriteThrough::connected() {
    if (connection_->alive()) return {};
    locked_ = false;
    staging_.clear();
    enrolled_.clear();
    auto made = connection_->reconnect();
    // A server that starts anew refuses for a while.
    for (int i = 0; !made && made.error().kind == ErrorKind::transient && i < tries; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(first_wait_ms << i));
        made = connection_->reconnect();
    }
    return made;
}

Result<> WriteThrough::lock() {
    TARN_TRY(connected());
    if (locked_) return {};
    TARN_ASSIGN(locked_, lock_database(*connection_, 0));
    for (int waited = 0; !locked_ && waited < longest_wait_seconds; waited += wait_seconds) {
        TARN_ASSIGN(locked_, lock_database(*connection_, wait_seconds));
        if (!locked_) TARN_TRY(end_gone_holder(*connection_));
    }
    if (locked_) return {};
    return fail(ErrorKind::transient, "another Tarn process writes to the database for long, or upgrades it",
                "DB_URL", "Wait for its end, or stop it.");
}

void WriteThrough::unlock() {
    if (locked_) unlock_database(*connection_);
    locked_ = false;
}

// Others find the session by the process.
Result<> WriteThrough::enrol() {
    auto id = process_();
    if (id == enrolled_) return {};
    TARN_ASSIGN(auto session, session_of(*connection_));
    TARN_TRY(connection_->run("update _tarn_processes set session = ? where id = ?", {session, id}));
    enrolled_ = id;
    return {};
}

void WriteThrough::map_tables() {
    maps_.clear();
    for (const auto& [name, table] : tables_) maps_.emplace(name, TableMap(table, connection_->engine()));
}

// ---- columns beyond the schema

// Other processes learn of it by a stamp of its own.
Result<> WriteThrough::columns_changed(const std::function<Result<>()>& change) {
    TARN_TRY(lock());
    auto changed = change();
    if (changed) {
        auto noted = connection_->run(
            "update _tarn_parts set stamp = stamp + 1 where table_name = '' and "
            "params in ('', 'columns')");
        if (!noted) changed = fail(noted.error());
    }
    unlock();
    return changed;
}

Result<> WriteThrough::add_column(const std::string& table, const Column& column) {
    TARN_TRY(columns_changed([&] { return server::add_column(*connection_, table, column); }));
    auto& columns = tables_[table].columns;
    if (std::ranges::none_of(columns, [&](const Column& one) { return one.name == column.name; }))
        columns.push_back(column);
    map_tables();
    return {};
}

Result<> WriteThrough::drop_column(const std::string& table, const std::string& column) {
    TARN_TRY(columns_changed([&] { return server::drop_column(*connection_, table, column); }));
    std::erase_if(tables_[table].columns, [&](const Column& one) { return one.name == column; });
    map_tables();
    return {};
}

// What another process has added or taken away.
Result<> WriteThrough::take_columns(duck::Connection& writer) {
    TARN_ASSIGN(auto now, more_());
    for (auto& [name, table] : tables_) {
        std::set<std::string> wanted;
        for (const auto& column : now[name]) {
            wanted.insert(column.name);
            if (table.column(column.name) != nullptr) continue;
            // Its row comes before the column.
            TARN_TRY(server::add_column(*connection_, name, column));
            TARN_TRY(
                writer.run_unwatched(fmt::format("alter table {} add column if not exists {} {}",
                                                 sql_name(name), sql_name(column.name), duck_type(column))));
            table.columns.push_back(column);
        }
        for (const auto& column : added_[name]) {
            if (wanted.contains(column)) continue;
            TARN_TRY(writer.run_unwatched(
                fmt::format("alter table {} drop column if exists {}", sql_name(name), sql_name(column))));
            std::erase_if(table.columns, [&](const Column& one) { return one.name == column; });
        }
        added_[name] = wanted;
    }
    map_tables();
    return {};
}

// ---- the cache

Result<> WriteThrough::attach(DataFile& data, const Schema& schema, const MoreColumns& more,
                              const ProcessId& process) {
    more_ = more;
    process_ = process;
    TARN_TRY(ensure_tables(*connection_, schema, [](const Table& table) { return !table.control; }));
    TARN_TRY(prepare_parts(*connection_));
    for (const auto& [name, table] : schema.tables()) {
        if (!table.control && !is_local(name)) tables_.emplace(name, table);
    }
    TARN_TRY(data.exclusive([&](duck::Connection& writer) -> Result<> {
        TARN_TRY(take_columns(writer));
        TARN_TRY(enrol());
        unlock();
        TARN_TRY(load_news(writer));
        writer.watch(this);
        return {};
    }));
    data.pass_by(this);
    return {};
}

Result<> WriteThrough::load_news(duck::Connection& writer) {
    bool current = false;
    while (!current) {
        TARN_ASSIGN(auto rows,
                    connection_->query("select params, stamp from _tarn_parts where table_name = '' and "
                                       "params in ('', 'columns') order by params"));
        if (!stale_ && commits_ != 0 && rows.number(0, "stamp") == commits_) return {};
        auto columns = rows.number(1, "stamp");
        if (columns != columns_) TARN_TRY(take_columns(writer));
        columns_ = columns;
        TARN_ASSIGN(current, take_news(writer));
    }
    return {};
}

// false: there are other columns since.
Result<bool> WriteThrough::take_news(duck::Connection& writer) {
    writer.watch(nullptr);
    auto refreshed = refresh(writer, *connection_, maps_, columns_);
    writer.watch(this);
    if (!refreshed) return fail(refreshed.error());
    if (refreshed->other_columns) return false;
    if (refreshed->whole && refreshed->rows > 0)
        log()->info("{} rows were loaded from the database", refreshed->rows);
    commits_ = refreshed->commits;
    stale_ = false;
    return true;
}

// A connection that the server has closed meanwhile shows itself here, before anything was done.
Result<> WriteThrough::once_more(const std::function<Result<>()>& work) {
    auto done = work();
    return done || connection_->alive() ? done : work();
}

Result<> WriteThrough::catch_up(duck::Connection& writer) {
    return once_more([&]() -> Result<> {
        TARN_TRY(connected());
        TARN_TRY(enrol());
        return load_news(writer);
    });
}

Result<> WriteThrough::begin(duck::Connection& writer) {
    touched_.clear();
    sent_ = overtaken_ = false;
    auto begun = once_more([&] { return begin_current(writer); });
    if (begun)
        in_job_ = true;
    else
        unlock();
    return begun;
}

Result<> WriteThrough::begin_current(duck::Connection& writer) {
    TARN_TRY(connected());
    TARN_TRY(enrol());
    TARN_ASSIGN(locked_, lock_database(*connection_, 0));
    if (!locked_) {
        // While others have it most of what they wrote is loaded.
        TARN_TRY(load_news(writer));
        TARN_TRY(lock());
    }
    return load_news(writer);
}

void WriteThrough::rollback(duck::Connection& /*writer*/) {
    in_job_ = false;
    stale_ = stale_ || sent_;
    unlock();
}

void WriteThrough::done(duck::Connection& /*writer*/, bool file_committed) {
    in_job_ = false;
    stale_ = stale_ || (sent_ && !file_committed);
    unlock();
}

// ---- what a job changes

WriteThrough::Touched* WriteThrough::touched(const std::string& table) {
    auto map = maps_.find(table);
    if (map == maps_.end()) return nullptr;
    auto& entry = touched_[table];
    entry.map = &map->second;
    return &entry;
}

void WriteThrough::appends_to(const std::string& table) {
    if (auto* entry = touched(table)) entry->added = true;
}

Result<std::int64_t> WriteThrough::run(duck::Connection& writer, const std::string& sql) {
    std::int64_t changed = 0;
    for (const auto& statement : statements_of(sql)) {
        TARN_ASSIGN(changed, run_one(writer, statement));
    }
    return changed;
}

Result<std::int64_t> WriteThrough::run_one(duck::Connection& writer, const std::string& statement) {
    auto change = change_of(statement);
    auto* entry = change.verb == Verb::other ? nullptr : touched(change.table);
    if (entry == nullptr) return writer.run_unwatched(statement);
    if (!in_job_)
        return fail(ErrorKind::bug, "a data table is written outside of a transaction", change.table);
    if (change.verb == Verb::insert) {
        entry->added = true;
        return writer.run_unwatched(statement);
    }
    const auto& map = *entry->map;
    bool updates = change.verb == Verb::update;
    if (updates && map.table->primary_key.empty())
        return fail(ErrorKind::bug, "rows without a key cannot be updated", change.table);
    duck::Rows left;
    for (const auto& column : updates ? columns_set(statement) : std::vector<std::string>{}) {
        if (contains(map.key, column))
            return fail(ErrorKind::bug, "an update changes \"" + column + "\" of a key", change.table);
        if (column != map.params) continue;
        // A row that goes to another part leaves the one it was in; which that was, the changed row no longer tells.
        TARN_ASSIGN(left, writer.query(fmt::format("select distinct {} from {}", map.scope_expression,
                                                   sql_name(change.table))));
    }
    TARN_ASSIGN(auto rows, writer.query(fmt::format("{} returning {}, {}", statement,
                                                    join(map.key_expressions, ", "), map.scope_expression)));
    RowsText keys(Engine::mysql);
    for (const auto& row : rows.rows) {
        for (std::size_t i = 0; i < map.key.size(); ++i) row[i] ? keys.bytes(*row[i]) : keys.null();
        keys.end_row();
        entry->scopes.insert(row.back().value_or(""));
    }
    if (!rows.rows.empty()) {
        for (const auto& row : left.rows) entry->scopes.insert(row.back().value_or(""));
    }
    (updates ? entry->updated : entry->deleted) += keys.rows();
    return static_cast<std::int64_t>(rows.rows.size());
}

Result<> WriteThrough::commit(duck::Connection& writer) {
    std::erase_if(touched_, [](const auto& entry) {
        const Touched& table = entry.second;
        return !table.added && table.deleted.empty() && table.updated.empty();
    });
    if (touched_.empty()) return {};
    for (int attempt = 1;; ++attempt) {
        bool unsure = false;
        auto ran = send(writer, unsure);
        if (ran) break;
        connection_->rollback();
        staging_.clear();
        if (ran.error().kind != ErrorKind::transient || overtaken_ || attempt == tries) return ran;
        log()->warn("the database is tried again: {}", ran.error().text());
        auto again = try_again(attempt);
        // The last commit may have arrived although its answer was lost.
        if (!again) return again;
        if (!unsure) continue;
        TARN_ASSIGN(bool there, arrived());
        if (there) break;
    }
    ++commits_;
    sent_ = true;
    return note_stamps(writer);
}

Result<> WriteThrough::try_again(int attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(first_wait_ms << attempt));
    TARN_TRY(lock());
    return enrol();
}

Result<bool> WriteThrough::arrived() {
    TARN_ASSIGN(auto rows,
                connection_->query("select commits from _tarn_processes where id = ?", {process_()}));
    return rows.number(0, "commits") == commits_ + 1;
}

Result<> WriteThrough::send(duck::Connection& writer, bool& unsure) {
    TARN_TRY(lock());
    TARN_TRY(enrol());
    TARN_TRY(connection_->begin());
    TARN_TRY(count_commit());
    for (auto& [name, table] : touched_) {
        auto sent = send_table(writer, table);
        if (!sent) return fail(refused(sent.error(), name));
    }
    TARN_TRY(send_stamps());
    TARN_TRY(fence());
    unsure = true;
    return connection_->commit();
}

// With a lost connection the lock was lost: another process may have written since this job began.
Result<> WriteThrough::count_commit() {
    TARN_ASSIGN(auto counted,
                connection_->run("update _tarn_parts set stamp = stamp + 1 where table_name = '' and "
                                 "params = '' and stamp = ?",
                                 {commits_}));
    if (counted == 1) return {};
    overtaken_ = true;
    return fail(ErrorKind::transient, "another process has written to the database in between", "DB_URL",
                "Try again.");
}

// The last statement before the commit: until then heart-beats change the row.
Result<> WriteThrough::fence() {
    TARN_ASSIGN(auto here,
                connection_->run("update _tarn_processes set commits = ? where id = ? and gone = 0",
                                 {commits_ + 1, process_()}));
    if (here == 1) return {};
    overtaken_ = true;
    return fail(ErrorKind::transient, "others have taken over the work of this process", "DB_URL",
                "Try again.");
}

Result<> WriteThrough::send_table(duck::Connection& writer, Touched& table) {
    const auto& map = *table.map;
    TARN_TRY(delete_keys(map, table.deleted));
    if (table.added || !table.deleted.empty()) TARN_TRY(send_rows(writer, table, added_rows));
    if (table.updated.empty()) return {};
    std::vector<std::string> columns, same;
    for (const auto& name : map.key) {
        columns.push_back(sql_name(name) + " " + duck_type(*map.table->column(name)));
        same.push_back(fmt::format("u.{0} = {1}.{0}", sql_name(name), sql_name(map.name)));
    }
    TARN_TRY(writer.run_unwatched(
        fmt::format("create or replace temp table {} ({})", updated_table, join(columns, ", "))));
    TARN_ASSIGN(auto appender, duck::Appender::open(writer, updated_table));
    TARN_TRY(each_row(table.updated, [&](const std::vector<Field>& key) -> Result<> {
        for (const auto& value : key) value ? appender->text(*value) : appender->null();
        return appender->end_row();
    }));
    TARN_TRY(appender->close());
    return send_rows(writer, table,
                     fmt::format("not ({}) and exists (select 1 from {} u where {})", added_rows,
                                 updated_table, join(same, " and ")));
}

Result<> WriteThrough::send_rows(duck::Connection& writer, Touched& table, const std::string& condition) {
    const auto& map = *table.map;
    RowsText rows(connection_->engine());
    Result<> outcome;
    // An error ends the rows here, not their select: that would end the file's transaction, which may be sent once more.
    TARN_TRY(writer.views(
        fmt::format("select {} from {} where {}", map.file_select, sql_name(map.name), condition),
        [&](const std::vector<duck::View>& row) {
            if (!outcome) return;
            map.write(row, rows);
            if (auto scope = row.back().value_or(""); !table.scopes.contains(scope))
                table.scopes.emplace(scope);
            if (rows.size() < chunk_bytes) return;
            outcome = load(map, rows);
            rows.clear();
        }));
    TARN_TRY(outcome);
    return rows.empty() ? Result<>{} : load(map, rows);
}

// On PostgreSQL by way of a temporary table: a row that an old instance or another tool has made meanwhile is replaced, as on MySQL.
Result<> WriteThrough::load(const TableMap& map, const RowsText& rows) {
    if (connection_->engine() == Engine::mysql || map.table->primary_key.empty()) {
        TARN_TRY(connection_->load(map.name, map.columns, rows.rows()));
        return {};
    }
    auto list = name_list(map.columns);
    auto shape = map.name + list;
    auto name = fmt::format("tarn_in_{:016x}", XXH3_64bits(shape.data(), shape.size()));
    auto& staging = staging_[map.name];
    if (staging != name) {
        TARN_TRY(connection_->run(
            fmt::format("create temporary table if not exists {} (like {}) on commit delete rows", name,
                        sql_name(map.name))));
        staging = name;
    }
    TARN_TRY(connection_->load(staging, map.columns, rows.rows()));
    std::vector<std::string> sets;
    for (const auto& column : map.columns) {
        if (!contains(map.key, column)) sets.push_back(fmt::format("{0} = excluded.{0}", sql_name(column)));
    }
    TARN_TRY(connection_->run(fmt::format("insert into {} ({}) select {} from {} on conflict ({}) do {}",
                                          sql_name(map.name), list, list, staging, name_list(map.key),
                                          sets.empty() ? "nothing" : "update set " + join(sets, ", "))));
    TARN_TRY(connection_->run("delete from " + staging));
    return {};
}

Result<> WriteThrough::delete_keys(const TableMap& map, const std::string& keys) {
    std::vector<std::string> list;
    auto flush = [&]() -> Result<> {
        if (list.empty()) return {};
        auto sql = fmt::format("delete from {} where ({}) in ({})", sql_name(map.name), name_list(map.key),
                               join(list, ", "));
        list.clear();
        return connection_->run_once(sql);
    };
    TARN_TRY(each_row(keys, [&](const std::vector<Field>& key) -> Result<> {
        std::string values;
        for (const auto& value : key)
            values += (values.empty() ? "" : ", ") + literal(value, connection_->engine());
        list.push_back("(" + values + ")");
        return list.size() < keys_at_once ? Result<>{} : flush();
    }));
    return flush();
}

Result<> WriteThrough::send_stamps() {
    for (const auto& [name, table] : touched_) {
        for (const auto& scope : table.scopes) {
            TARN_TRY(connection_->run("delete from _tarn_parts where table_name = ? and params = ?",
                                      {name, scope}));
            TARN_TRY(connection_->run("insert into _tarn_parts (table_name, params, stamp) values (?, ?, ?)",
                                      {name, scope, commits_ + 1}));
        }
    }
    return {};
}

// In the file's own transaction: the file is current exactly when it has committed.
Result<> WriteThrough::note_stamps(duck::Connection& writer) {
    std::string parts = fmt::format("('', '', {})", commits_), names = "('', '')";
    for (const auto& [name, table] : touched_) {
        for (const auto& scope : table.scopes) {
            parts += fmt::format(", ({}, {}, {})", sql_text(name), sql_text(scope), commits_);
            names += fmt::format(", ({}, {})", sql_text(name), sql_text(scope));
        }
    }
    TARN_TRY(writer.run_unwatched(
        fmt::format("delete from _tarn_parts where (table_name, params) in ({})", names)));
    TARN_TRY(writer.run_unwatched("insert into _tarn_parts (table_name, params, stamp) values " + parts));
    return {};
}

}  // namespace tarn::server
