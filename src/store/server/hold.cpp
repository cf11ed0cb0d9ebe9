#include "store/server/hold.h"

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/log.h"

namespace tarn::server {
namespace {

constexpr std::int64_t advisory_lock = 0x7461726E;  // "tarn"
// MySQL's locks are the server's: the database's name is a part, as far as 64 letters allow.
constexpr const char* lock_name = "concat('tarn.', left(database(), 59))";

bool is_mysql(Connection& connection) { return connection.engine() == Engine::mysql; }

Result<bool> held(Connection& connection, const std::string& sql) {
    TARN_ASSIGN(auto rows, connection.query(sql));
    return rows.number(0, "held") == 1;
}

// In the server's queue, so that nobody waits for ever.
Result<bool> wait_in_postgres(Connection& connection, int wait_seconds) {
    TARN_TRY(connection.query(fmt::format("select set_config('lock_timeout', '{}s', false)", wait_seconds)));
    auto got = connection.query(fmt::format("select pg_advisory_lock({})", advisory_lock));
    if (!connection.alive()) return fail(got.error());
    TARN_TRY(connection.query("select set_config('lock_timeout', '0', false)"));
    if (got) return true;
    if (got.error().kind == ErrorKind::transient) return false;
    return fail(got.error());
}

// A database that no Tarn of this age has opened has no list of processes.
Result<bool> lists_processes(Connection& connection) {
    TARN_ASSIGN(auto rows, connection.query(fmt::format(
                               "select table_name as t from information_schema.tables where table_schema = "
                               "{} and table_name = '_tarn_processes'",
                               is_mysql(connection) ? "database()" : "current_schema()")));
    return !rows.rows.empty();
}

Result<std::string> process_at_work(Connection& connection) {
    TARN_ASSIGN(bool listed, lists_processes(connection));
    if (!listed) return std::string();
    TARN_ASSIGN(auto rows,
                connection.query("select place from _tarn_processes where gone = 0 and expires_at > " +
                                 clock_millis(connection.engine())));
    return rows.rows.empty() ? std::string() : rows.text(0, "place");
}

// The session that has the lock; 0: none.
Result<std::int64_t> lock_holder(Connection& connection) {
    auto sql = is_mysql(connection)
                   ? fmt::format("select coalesce(is_used_lock({}), 0) as id", lock_name)
                   : fmt::format(
                         "select coalesce(max(l.pid), 0) as id from pg_locks l join pg_database d on d.oid = "
                         "l.database where l.locktype = 'advisory' and l.granted and l.classid = 0 and "
                         "l.objid = {} and d.datname = current_database()",
                         advisory_lock);
    TARN_ASSIGN(auto rows, connection.query(sql));
    return rows.number(0, "id");
}

}  // namespace

std::string clock_millis(Engine engine) {
    return engine == Engine::mysql ? "cast(unix_timestamp(sysdate(3)) * 1000 as signed)"
                                   : "cast(extract(epoch from clock_timestamp()) * 1000 as bigint)";
}

Result<bool> lock_database(Connection& connection, int wait_seconds) {
    if (is_mysql(connection))
        return held(connection, fmt::format("select get_lock({}, {}) as held", lock_name, wait_seconds));
    TARN_ASSIGN(
        bool got,
        held(connection, fmt::format("select case when pg_try_advisory_lock({}) then 1 else 0 end as held",
                                     advisory_lock)));
    if (got || wait_seconds == 0) return got;
    return wait_in_postgres(connection, wait_seconds);
}

void unlock_database(Connection& connection) {
    if (!connection.alive()) return;
    auto done =
        connection.query(is_mysql(connection) ? fmt::format("select release_lock({})", lock_name)
                                              : fmt::format("select pg_advisory_unlock({})", advisory_lock));
    if (!done) log()->warn("the database's lock was not let go: {}", done.error().text());
}

Result<> take_database(Connection& connection, int wait_seconds) {
    std::string who = "another Tarn process";
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(wait_seconds);
    TARN_ASSIGN(bool got, lock_database(connection, wait_seconds));
    while (got) {
        TARN_ASSIGN(auto place, process_at_work(connection));
        if (place.empty()) return {};
        who = "a Tarn process (" + place + ")";
        unlock_database(connection);
        if (std::chrono::steady_clock::now() >= until) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        TARN_ASSIGN(got, lock_database(connection, 1));
    }
    return fail(ErrorKind::terminal, "the database is in use by " + who, "DB_URL",
                "Stop it, or name another database. One that was killed counts for TARN_LEASE_SECONDS more.");
}

Result<bool> is_held_by_another(Connection& connection) {
    TARN_ASSIGN(auto holder, lock_holder(connection));
    TARN_ASSIGN(auto own, session_of(connection));
    if (holder != 0 && holder != own) return true;
    TARN_ASSIGN(auto place, process_at_work(connection));
    return !place.empty();
}

Result<std::int64_t> session_of(Connection& connection) {
    TARN_ASSIGN(auto rows, connection.query(is_mysql(connection) ? "select connection_id() as id"
                                                                 : "select pg_backend_pid() as id"));
    return rows.number(0, "id");
}

Result<> end_gone_holder(Connection& connection) {
    TARN_ASSIGN(bool listed, lists_processes(connection));
    if (!listed) return {};
    TARN_ASSIGN(auto holder, lock_holder(connection));
    if (holder == 0) return {};
    // Numbers of sessions come again: one that a living process has is let be.
    auto expired = "(gone <> 0 or expires_at <= " + clock_millis(connection.engine()) + ")";
    TARN_ASSIGN(
        auto owners,
        connection.query(fmt::format("select coalesce(sum(case when {0} then 1 else 0 end), 0) as dead, "
                                     "coalesce(sum(case when {0} then 0 else 1 end), 0) as living from "
                                     "_tarn_processes where session = ?",
                                     expired),
                         {holder}));
    if (owners.number(0, "dead") == 0 || owners.number(0, "living") > 0) return {};
    log()->warn("the database's session {} of a process that is not heard of any more is ended", holder);
    TARN_TRY(connection.query(is_mysql(connection) ? fmt::format("kill {}", holder)
                                                   : fmt::format("select pg_terminate_backend({})", holder)));
    return {};
}

}  // namespace tarn::server
