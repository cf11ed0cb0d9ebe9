#include "store/server/cache.h"

#include <random>
#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn::server {
namespace {

constexpr const char* identity = "database";

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

Result<std::int64_t> load_rows(duck::Connection& writer, Connection& connection, const TableMap& map,
                               const std::string& condition) {
    std::vector<std::string> columns;
    for (const auto& column : map.table->columns) columns.push_back(column.name);
    TARN_ASSIGN(auto appender, duck::Appender::open(writer, map.name, columns));
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
    return load_rows(writer, connection, map, of_server);
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

Result<Refreshed> load_stale(duck::Connection& writer, Connection& connection, const TableMaps& maps) {
    TARN_ASSIGN(auto of_server, server_parts(connection));
    TARN_ASSIGN(auto of_file, file_parts(writer));
    Refreshed done;
    done.commits = of_server[{"", ""}];
    auto known = of_file.find({"", identity});
    done.whole = known == of_file.end() || known->second != of_server[{"", identity}];
    std::map<std::string, std::set<std::string>> stale;
    for (const auto& [part, stamp] : of_server) {
        auto mine = of_file.find(part);
        if (mine == of_file.end() || mine->second != stamp) stale[part.first].insert(part.second);
    }
    for (const auto& [name, map] : maps) {
        auto parts = stale.find(name);
        if (!done.whole && parts == stale.end()) continue;
        TARN_ASSIGN(auto rows, load_parts(writer, connection, map,
                                          done.whole ? std::set<std::string>{} : parts->second));
        done.rows += rows;
    }
    if (done.whole) TARN_TRY(writer.run("delete from _tarn_seen; delete from _tarn_check_points"));
    TARN_TRY(write_parts(writer, of_server));
    return done;
}

}  // namespace

Result<> prepare_parts(Connection& connection) {
    TARN_ASSIGN(auto rows, connection.query("select params from _tarn_parts where table_name = ''"));
    if (rows.rows.size() >= 2) return {};
    std::random_device random;
    auto id = (static_cast<std::int64_t>(random()) << 30) ^ static_cast<std::int64_t>(random());
    TARN_TRY(connection.begin());
    auto made = connection.run("delete from _tarn_parts where table_name = ''");
    if (made)
        made = connection.run(
            "insert into _tarn_parts (table_name, params, stamp) values ('', '', 1), ('', ?, ?)",
            {identity, id});
    if (!made) {
        connection.rollback();
        return fail(made.error());
    }
    return connection.commit();
}

Result<Refreshed> refresh(duck::Connection& writer, Connection& connection, const TableMaps& maps) {
    TARN_TRY(writer.run("begin transaction"));
    auto done = load_stale(writer, connection, maps);
    auto ended = done ? writer.run("commit") : writer.run("rollback");
    if (done && !ended) return fail(ended.error());
    return done;
}

}  // namespace tarn::server
