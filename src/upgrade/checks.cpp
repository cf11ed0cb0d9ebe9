#include "upgrade/checks.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <set>
#include <variant>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "store/server/hold.h"

namespace tarn::upgrade {
namespace {

using IsOwn = std::function<bool(const std::string& table)>;

Error forbids(std::string message, std::string next_step) {
    return {ErrorKind::terminal, std::move(message), "DB_URL", std::move(next_step)};
}

Result<> check_version(Database& database, ServerChecks& out) {
    TARN_ASSIGN(auto rows, database.connection().query("select version() as v"));
    auto text = rows.text(0, "v");
    if (is_too_old(database.connection().engine(), text))
        out.problems.push_back(forbids("the database server is too old: " + text.substr(0, text.find(" on ")),
                                       "MySQL 8.0, MariaDB 10.5, PostgreSQL 13 or newer is needed."));
    return {};
}

// What the user holds itself; nullopt: it also has what roles give, which only a try tells.
Result<std::optional<std::set<std::string>>> mysql_rights(Database& database) {
    auto& connection = database.connection();
    TARN_ASSIGN(auto grants, connection.query("show grants for current_user()"));
    for (const auto& row : grants.rows) {
        const auto* text = std::get_if<std::string>(&row.at(0));
        if (text != nullptr && lower(*text).find(" on ") == std::string::npos)
            return std::optional<std::set<std::string>>{};
    }
    // The user's own name may have an '@'.
    constexpr const char* user =
        "(select concat('''', left(u, char_length(u) - char_length(h) - 1), '''@''', h, '''') from (select "
        "current_user() as u, substring_index(current_user(), '@', -1) as h) me)";
    TARN_ASSIGN(auto held,
                connection.query(fmt::format(
                    "select privilege_type as p from information_schema.user_privileges where grantee = {0} "
                    "union select privilege_type from information_schema.schema_privileges where grantee = "
                    "{0} and database() like table_schema",
                    user)));
    std::set<std::string> out;
    for (std::size_t i = 0; i < held.rows.size(); ++i) out.insert(held.text(i, "p"));
    return std::optional(std::move(out));
}

Result<> check_mysql(Database& database, ServerChecks& out) {
    constexpr std::array<const char*, 8> needed = {"SELECT", "INSERT", "UPDATE", "DELETE",
                                                   "CREATE", "DROP",   "ALTER",  "INDEX"};
    TARN_ASSIGN(auto held, mysql_rights(database));
    std::vector<std::string> missing;
    for (const auto* right : needed)
        if (held && !held->contains(right)) missing.emplace_back(right);
    if (!missing.empty())
        out.problems.push_back(
            forbids("a right is missing on this database: " + join(missing, ", "),
                    "Give the user all rights on the database, as an administrator: grant all on "
                    "<database>.* to <user>."));
    TARN_ASSIGN(auto reads, database.connection().query("select @@global.read_only + 0 as v"));
    bool may_write = held && (held->contains("SUPER") || held->contains("READ_ONLY ADMIN"));
    if (reads.number(0, "v") != 0 && !may_write)
        out.problems.push_back(forbids("the database server only reads (read_only is on)",
                                       "Name the server that is written to."));
    return {};
}

Result<> check_postgres(Database& database, const IsOwn& is_own, ServerChecks& out) {
    auto& connection = database.connection();
    TARN_ASSIGN(auto row,
                connection.query(
                    "select case when has_schema_privilege(current_schema(), 'CREATE') then 1 else 0 end as "
                    "may_create, case when pg_is_in_recovery() or current_setting('transaction_read_only') = "
                    "'on' then 1 else 0 end as only_reads, current_setting('server_encoding') as encoding"));
    if (row.number(0, "may_create") == 0)
        out.problems.push_back(
            forbids("a right is missing: CREATE on the schema",
                    "Give it, as an administrator: grant create on schema public to <user>."));
    if (row.number(0, "only_reads") != 0)
        out.problems.push_back(
            forbids("the database server only reads", "Name the server that is written to."));
    if (row.text(0, "encoding") != "UTF8")
        out.problems.push_back(forbids("the database's encoding is " + row.text(0, "encoding") + ", not UTF8",
                                       "Copy it to a database with encoding UTF8, and name that one."));
    TARN_ASSIGN(auto foreign,
                connection.query("select tablename as t, tableowner as o from pg_tables where schemaname = "
                                 "current_schema() and not pg_has_role(tableowner, 'USAGE') order by 1"));
    std::vector<std::string> tables;
    std::string owner;
    for (std::size_t i = 0; i < foreign.rows.size(); ++i) {
        if (!is_own(foreign.text(i, "t"))) continue;
        tables.push_back(foreign.text(i, "t"));
        if (owner.empty()) owner = foreign.text(i, "o");
    }
    if (!tables.empty())
        out.problems.push_back(
            forbids(fmt::format("a right is missing: {} tables belong to {}, {} among them", tables.size(),
                                owner, tables.front()),
                    "Take DevLake's own database user, or make this one the owner of DevLake's tables."));
    return {};
}

// In other sets texts of today are refused or lose letters in the middle of a run.
Result<> check_letters(Database& database, const IsOwn& is_own, ServerChecks& out) {
    if (!database.is_mysql()) return {};
    TARN_ASSIGN(auto rows, database.connection().query(
                               "select table_name as t, table_collation as c from "
                               "information_schema.tables where table_schema = database() and table_type = "
                               "'BASE TABLE' and table_collation not like 'utf8mb4%' order by 1"));
    std::vector<std::string> few, none;
    std::string set;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        if (!is_own(rows.text(i, "t"))) continue;
        bool some = rows.text(i, "c").starts_with("utf8");
        (some ? few : none).push_back(rows.text(i, "t"));
        if (!some) set = rows.text(i, "c");
    }
    if (!none.empty())
        out.problems.push_back(forbids(
            fmt::format("{} tables have the wrong character set ({}), {} among them", none.size(), set,
                        none.front()),
            "Convert each: alter table <table> convert to character set utf8mb4 collate utf8mb4_bin."));
    if (!few.empty())
        out.notes.push_back(
            fmt::format("{} tables have the character set utf8 of old servers, {} among them: signs "
                        "like emojis cannot be stored in them until they are converted to utf8mb4.",
                        few.size(), few.front()));
    return {};
}

// Rows that are newer than now would be taken for changes again and again.
Result<> check_clock(Database& database, ServerChecks& out) {
    constexpr Millis most_of_a_zone = 26LL * 3600 * 1000;  // old releases wrote local times
    for (const auto* table : {"_devlake_migration_history", "_devlake_pipelines"}) {
        if (!database.has(table, "created_at")) continue;
        auto now = format_sql(now_millis());
        TARN_ASSIGN(auto rows,
                    database.connection().query(
                        fmt::format("select max(created_at) as t from {} where created_at > ?", table),
                        {format_sql(now_millis() + most_of_a_zone)}));
        if (rows.text(0, "t").empty()) continue;
        out.problems.push_back(
            {ErrorKind::terminal,
             fmt::format("the clock is wrong: here it is {}, the database was written at {}", now,
                         rows.text(0, "t")),
             table, "Set this machine's clock. Nothing was changed."});
        return {};
    }
    return {};
}

Result<> check_holder(Database& database, ServerChecks& out) {
    TARN_ASSIGN(bool held, server::is_held_by_another(database.connection()));
    if (held)
        out.problems.push_back(
            forbids("another Tarn process holds the database", "Wait until it has upgraded it, or stop it."));
    return {};
}

Result<> note_others(Database& database, ServerChecks& out) {
    auto rows = database.connection().query(
        database.is_mysql()
            ? "select count(*) as n from information_schema.processlist where db = database() and id <> "
              "connection_id()"
            : "select count(*) as n from pg_stat_activity where datname = current_database() and pid <> "
              "pg_backend_pid()");
    if (!rows) return fail(rows.error());
    if (auto count = rows->number(0, "n"); count > 0)
        out.notes.push_back(
            fmt::format("{} other connections are open to the database: DevLake must have been stopped. "
                        "Dashboards may stay.",
                        count));
    return {};
}

}  // namespace

bool is_too_old(server::Engine engine, const std::string& version) {
    constexpr std::string_view masked = "5.5.5-";
    bool maria = lower(version).find("mariadb") != std::string::npos;
    auto text = maria && version.starts_with(masked) ? version.substr(masked.size()) : version;
    std::pair<int, int> oldest =
        engine == server::Engine::mysql ? std::pair(maria ? 10 : 8, maria ? 5 : 0) : std::pair(13, 0);
    // PostgreSQL says its name first.
    auto digits = text.find_first_of("0123456789");
    std::pair<int, int> found;
    if (digits != std::string::npos)
        static_cast<void>(std::sscanf(text.c_str() + digits, "%d.%d", &found.first, &found.second));
    return found < oldest;
}

Result<ServerChecks> check_server(Database& database, const IsOwn& is_own) {
    ServerChecks out;
    TARN_TRY(check_version(database, out));
    if (database.is_mysql())
        TARN_TRY(check_mysql(database, out));
    else
        TARN_TRY(check_postgres(database, is_own, out));
    TARN_TRY(check_letters(database, is_own, out));
    TARN_TRY(check_clock(database, out));
    TARN_TRY(check_holder(database, out));
    TARN_TRY(note_others(database, out));
    return out;
}

}  // namespace tarn::upgrade
