#include "store/server/cache.h"

#include <random>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "store/data_file.h"

namespace tarn::server {
namespace {

constexpr const char *identity = "database", *columns_changed = "columns", *number = "data file",
                     *layout = "layout";
constexpr std::int64_t layout_now = 2;  // of parts
constexpr const char* incoming = "tarn_incoming_rows";

using Parts = std::map<std::pair<std::string, std::string>, std::int64_t>;

Result<Parts> server_parts(Connection& connection) {
    TARN_ASSIGN(auto rows, connection.query("select table_name, params, stamp from _tarn_parts"));
    Parts out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        out[{rows.text(i, "table_name"), rows.text(i, "params")}] = rows.number(i, "stamp");
    return out;
}

Result<Parts> file_parts(duck::Connection& writer) {
    Parts out;
    TARN_TRY(writer.each("select table_name, params, stamp from _tarn_parts",
                         [&](const std::vector<duck::Text>& row) {
                             out[{*row[0], *row[1]}] = std::stoll(*row[2]);
                         }));
    return out;
}

std::string list_of(const std::set<std::string>& values) {
    std::string out;
    for (const auto& value : values) out += (out.empty() ? "" : ", ") + sql_text(value);
    return out;
}

// MySQL takes a backslash in a literal for an escape.
std::string server_list_of(const std::set<std::string>& values, Engine engine) {
    auto list = list_of(values);
    return engine == Engine::mysql ? replaced(list, "\\", "\\\\") : list;
}

std::string join_ids(const std::set<std::string>& ids) {
    return join(std::vector<std::string>(ids.begin(), ids.end()), ", ");
}

// Into the table of the file, or into one of the same shape.
Result<std::int64_t> load_rows(duck::Connection& writer, Connection& connection, const TableMap& map,
                               const std::string& table, const std::string& condition) {
    std::vector<std::string> columns;
    for (const auto& column : map.table->columns) columns.push_back(column.name);
    TARN_ASSIGN(auto appender, duck::Appender::open(writer, table, columns));
    std::int64_t rows = 0;
    TARN_TRY(
        connection.each(fmt::format("select {} from {}{}", map.server_select, sql_name(map.name), condition),
                        [&](const std::vector<Field>& row) -> Result<> {
                            ++rows;
                            return map.read(row, *appender);
                        }));
    TARN_TRY(appender->close());
    return rows;
}

// The named scopes of a table, or all of it where none is named.
Result<std::int64_t> load_parts(duck::Connection& writer, Connection& connection, const TableMap& map,
                                const std::set<std::string>& scopes) {
    bool all = scopes.empty() || map.params.empty();
    std::string of_file, of_server;
    if (!all) {
        of_file = fmt::format(" where {} in ({})", map.scope_expression, list_of(scopes));
        of_server = fmt::format(" where {} in ({})", map.scope_expression,
                                server_list_of(scopes, connection.engine()));
    }
    TARN_TRY(writer.run("delete from " + sql_name(map.name) + of_file));
    return load_rows(writer, connection, map, map.name, of_server);
}

Result<std::set<std::string>> gone_since(Connection& connection, const std::string& table,
                                         const std::string& scope, const std::string& since) {
    std::set<std::string> ids;
    TARN_ASSIGN(auto rows,
                connection.query("select raw_id from _tarn_gone where table_name = ? and params = ? "
                                 "and raw_id is not null and stamp > ?",
                                 {table, scope, since}));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) ids.insert(rows.text(i, "raw_id"));
    return ids;
}

// Of raw rows only what has changed or gone since: a collection commits many times. false: that does not lead to the server's
// rows, as after the deletion of a scope.
Result<bool> load_raw_news(duck::Connection& writer, Connection& connection, const TableMap& map,
                           const std::string& scope, std::int64_t& rows) {
    const std::string long_ago = "1970-01-02 00:00:00.000";
    auto name = sql_name(map.name), of_scope = " where params = " + sql_text(scope);
    TARN_ASSIGN(auto changed, writer.value(fmt::format(
                                  "select strftime(max(_tarn_changed), '%Y-%m-%d %H:%M:%S.%g') from {}{}",
                                  name, of_scope)));
    TARN_ASSIGN(auto deleted, writer.value(fmt::format(
                                  "select strftime(max(stamp), '%Y-%m-%d %H:%M:%S.%g') from _tarn_gone{} "
                                  "and table_name = {}",
                                  of_scope, sql_text(map.name))));
    TARN_ASSIGN(auto gone, gone_since(connection, map.name, scope, deleted.value_or(long_ago)));
    TARN_TRY(writer.run(fmt::format("create or replace temp table {} as from {} limit 0", incoming, name)));
    auto time = sql_text(changed.value_or(long_ago));
    if (connection.engine() == Engine::postgres) time = "timestamptz " + time;
    auto condition = fmt::format(" where params in ({}) and _tarn_changed > {}",
                                 server_list_of({scope}, connection.engine()), time);
    TARN_ASSIGN(auto loaded, load_rows(writer, connection, map, incoming, condition));
    rows += loaded;
    TARN_TRY(
        writer.run(fmt::format("delete from {0} where params = {1} and (id in (select id from {2}) or id in "
                               "({3})); insert into {0} from {2}; drop table {2}",
                               name, sql_text(scope), incoming, gone.empty() ? "null" : join_ids(gone))));
    TARN_ASSIGN(auto here, writer.number(fmt::format("select count(*) from {}{}", name, of_scope)));
    TARN_ASSIGN(auto there,
                connection.query(fmt::format("select count(*) as n from {} where params in ({})", name,
                                             server_list_of({scope}, connection.engine()))));
    return there.number(0, "n") == here;
}

Result<std::int64_t> load_raw(duck::Connection& writer, Connection& connection, const TableMap& map,
                              const std::set<std::string>& scopes) {
    std::int64_t rows = 0;
    std::set<std::string> anew;
    for (const auto& scope : scopes) {
        TARN_ASSIGN(bool current, load_raw_news(writer, connection, map, scope, rows));
        if (!current) anew.insert(scope);
    }
    if (anew.empty()) return rows;
    TARN_ASSIGN(auto more, load_parts(writer, connection, map, anew));
    return rows + more;
}

std::int64_t random_number() {
    std::random_device random;
    return (static_cast<std::int64_t>(random()) << 30) ^ static_cast<std::int64_t>(random());
}

Result<> write_parts(duck::Connection& writer, const Parts& parts) {
    TARN_TRY(writer.run("delete from _tarn_parts"));
    TARN_ASSIGN(auto appender, duck::Appender::open(writer, "_tarn_parts"));
    for (const auto& [part, stamp] : parts) {
        appender->text(part.first);
        appender->text(part.second);
        appender->number(stamp);
        TARN_TRY(appender->end_row());
    }
    return appender->close();
}

Result<Refreshed> load_stale(duck::Connection& writer, Connection& connection, const TableMaps& maps,
                             std::int64_t columns) {
    TARN_ASSIGN(auto of_server, server_parts(connection));
    TARN_ASSIGN(auto of_file, file_parts(writer));
    Refreshed done;
    done.commits = of_server[{"", ""}];
    done.other_columns = of_server[{"", columns_changed}] != columns;
    if (done.other_columns) return done;
    done.whole = of_file[{"", identity}] != of_server[{"", identity}] || of_file[{"", layout}] != layout_now;
    std::map<std::string, std::set<std::string>> stale;
    for (const auto& [part, stamp] : of_server) {
        auto mine = of_file.find(part);
        if (mine == of_file.end() || mine->second != stamp) stale[part.first].insert(part.second);
    }
    // Raw rows look at what the file knew of _tarn_gone, which comes later in the order of names.
    for (const auto& [name, map] : maps) {
        auto parts = stale.find(name);
        if (!done.whole && parts == stale.end()) continue;
        bool raw = name.starts_with("_raw_") && !done.whole;
        TARN_ASSIGN(auto rows, raw ? load_raw(writer, connection, map, parts->second)
                                   : load_parts(writer, connection, map,
                                                done.whole ? std::set<std::string>{} : parts->second));
        done.rows += rows;
    }
    if (done.whole) TARN_TRY(writer.run("delete from _tarn_seen; delete from _tarn_check_points"));
    of_server[{"", layout}] = layout_now;
    // What collections met was in the old file.
    bool known = of_file[{"", number}] != 0 && (!done.whole || of_file[{"", identity}] == 0);
    of_server[{"", number}] = known ? of_file[{"", number}] : random_number();
    TARN_TRY(write_parts(writer, of_server));
    return done;
}

// All tables as of one moment, also while others write.
Result<> begin_snapshot(Connection& connection) {
    const std::string isolation = "set transaction isolation level repeatable read";
    if (connection.engine() == Engine::mysql) TARN_TRY(connection.run_once(isolation));
    TARN_TRY(connection.begin());
    return connection.engine() == Engine::postgres ? connection.run_once(isolation) : Result<>{};
}

}  // namespace

Result<> prepare_parts(Connection& connection) {
    TARN_ASSIGN(auto rows, connection.query("select params from _tarn_parts where table_name = ''"));
    std::map<std::string, std::int64_t> missing = {
        {"", 1}, {columns_changed, 1}, {identity, random_number()}};
    for (std::size_t i = 0; i < rows.rows.size(); ++i) missing.erase(rows.text(i, "params"));
    for (const auto& [name, stamp] : missing)
        TARN_TRY(connection.run("insert into _tarn_parts (table_name, params, stamp) values ('', ?, ?)",
                                {name, stamp}));
    return {};
}

Result<> number_file(duck::Connection& writer) {
    TARN_ASSIGN(auto given, writer.number(std::string("select ") + data_file_number));
    if (given != 0) return {};
    TARN_TRY(writer.run(fmt::format("insert into _tarn_parts (table_name, params, stamp) values ('', {}, {})",
                                    sql_text(number), random_number())));
    return {};
}

Result<Refreshed> refresh(duck::Connection& writer, Connection& connection, const TableMaps& maps,
                          std::int64_t columns) {
    TARN_TRY(begin_snapshot(connection));
    TARN_TRY(writer.run("begin transaction"));
    auto done = load_stale(writer, connection, maps, columns);
    connection.rollback();
    auto ended = done ? writer.run("commit") : writer.run("rollback");
    if (done && !ended) return fail(ended.error());
    return done;
}

}  // namespace tarn::server
