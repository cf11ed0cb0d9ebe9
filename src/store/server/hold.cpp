#include "store/server/hold.h"

#include <chrono>
#include <thread>

#include <fmt/format.h>

namespace tarn::server {
namespace {

constexpr std::int64_t advisory_lock = 0x7461726E;  // "tarn"
constexpr int tries_a_second = 5;
// MySQL's locks are the server's: the database's name is a part, as far as 64 letters allow.
constexpr const char* lock_name = "concat('tarn.', left(database(), 59))";

}  // namespace

Result<> take_database(Connection& connection, int wait_seconds) {
    bool is_mysql = connection.engine() == Engine::mysql;
    auto sql = is_mysql ? fmt::format("select get_lock({}, {}) as held", lock_name, wait_seconds)
                        : fmt::format("select case when pg_try_advisory_lock({}) then 1 else 0 end as held",
                                      advisory_lock);
    for (int i = 0; i < wait_seconds * tries_a_second; ++i) {
        TARN_ASSIGN(auto rows, connection.query(sql));
        if (rows.number(0, "held") == 1) return {};
        if (is_mysql) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(1000 / tries_a_second));
    }
    return fail(ErrorKind::terminal, "the database is in use by another Tarn process", "DB_URL",
                "Stop it, or name another database.");
}

Result<bool> is_held_by_another(Connection& connection) {
    auto sql =
        connection.engine() == Engine::mysql
            ? fmt::format("select case when is_used_lock({0}) <> connection_id() then 1 else 0 end as held",
                          lock_name)
            : fmt::format(
                  "select count(*) as held from pg_locks l join pg_database d on d.oid = l.database where "
                  "l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = {} and "
                  "d.datname = current_database() and l.pid <> pg_backend_pid()",
                  advisory_lock);
    TARN_ASSIGN(auto rows, connection.query(sql));
    return rows.number(0, "held") != 0;
}

}  // namespace tarn::server
