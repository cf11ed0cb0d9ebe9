#include "backup/target.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "run/home.h"
#include "store/server/ddl.h"
#include "store/server/hold.h"

namespace tarn::backup {
namespace {

namespace fs = std::filesystem;
using server::Engine;

constexpr const char *marker = "_tarn_restores", *stamps = "_tarn_stamps";
constexpr const char* mark = "insert into _tarn_restores (id, backup, begun_at) values (1, ?, ?)";
constexpr int lock_seconds = 10;

// Rows that the program makes by itself in an empty home are none: keys, stamps, calendars.
bool holds_work(const Table& table) {
    if (table.unsaved) return false;
    return (table.control && !table.name.starts_with("_tarn_")) || table.has_origin() ||
           table.name.starts_with("_raw_");
}

Failure not_empty(const std::string& place, const std::string& table) {
    return fail(
        ErrorKind::terminal, "the home is not empty: there are rows in " + table, place,
        "Restore into a new home: another folder with --home, or an empty database in DB_URL. Nothing "
        "was changed.");
}

std::string probe(const std::string& table) {
    return fmt::format("select 1 as n from {} limit 1", sql_name(table));
}

}  // namespace

Result<Target> Target::look(const std::string& folder, const run::Platform& platform,
                            const secrets::Settings& settings) {
    Target target(folder, platform, settings);
    TARN_TRY(settings.get("DB_URL").empty() ? target.look_at_files() : target.look_at_server());
    return target;
}

Result<> Target::look_at_files() {
    std::error_code ignored;
    bool has_control = fs::exists(run::control_path(folder_), ignored),
         has_data = fs::exists(run::data_path(folder_, *settings_), ignored);
    if (!has_control && !has_data) return {};
    TARN_ASSIGN(auto lock, run::HomeLock::open(folder_));
    if (has_control) {
        TARN_ASSIGN(auto control, run::open_control(folder_, *platform_, *settings_));
        TARN_ASSIGN(auto rows, control->query(probe(marker)));
        begun_ = !rows.rows.empty();
        if (begun_) return {};
        for (const auto& [name, table] : platform_->schema().tables()) {
            if (!table.control || !holds_work(table)) continue;
            TARN_ASSIGN(auto found, control->query(probe(name)));
            if (!found.rows.empty()) return not_empty(folder_, name);
        }
    }
    if (!has_data) return {};
    TARN_ASSIGN(auto data, run::open_data(folder_, *settings_));
    TARN_ASSIGN(auto reader, data->connect());
    std::vector<std::string> names;
    TARN_TRY(
        reader->each("select table_name from duckdb_tables() where not internal and database_name = "
                     "current_database() order by 1",
                     [&](const std::vector<duck::Text>& row) { names.push_back(*row[0]); }));
    for (const auto& name : names) {
        const Table* table = platform_->schema().table(name);
        if (table != nullptr && !holds_work(*table)) continue;
        TARN_ASSIGN(auto found, reader->query(probe(name)));
        if (!found.rows.empty()) return not_empty(folder_, name);
    }
    return {};
}

Result<> Target::look_at_server() {
    TARN_ASSIGN(auto url, server::parse_db_url(settings_->get("DB_URL")));
    TARN_ASSIGN(connection_, server::connect(url));
    TARN_ASSIGN(auto present, server::present_columns(*connection_, server::Views::left_out));
    if (present.contains(marker)) {
        TARN_ASSIGN(auto rows, connection_->query(probe(marker)));
        begun_ = !rows.rows.empty();
        if (begun_) return {};
    }
    for (const auto& [name, table] : platform_->schema().tables()) {
        if (!present.contains(name) || !holds_work(table)) continue;
        TARN_ASSIGN(auto found, connection_->query(probe(name)));
        if (!found.rows.empty()) return not_empty(url.shown(), name);
    }
    return {};
}

Result<> Target::begin(const std::string& backup) {
    TARN_ASSIGN(auto lock, run::HomeLock::open(folder_));
    return connection_ ? begin_server(backup) : begin_files(backup);
}

Result<> Target::begin_files(const std::string& backup) {
    auto control_file = run::control_path(folder_), data_file = run::data_path(folder_, *settings_);
    if (begun_) {
        // The one with the row goes last.
        for (const auto& file :
             {data_file, data_file + ".wal", control_file + "-wal", control_file + "-shm", control_file}) {
            std::error_code code;
            fs::remove(file, code);
            if (code)
                return fail(ErrorKind::terminal, "cannot be removed: " + code.message(), file,
                            "Check the folder's rights.");
        }
    }
    TARN_ASSIGN(auto control, open_sqlite(control_file));
    TARN_TRY(control->ensure(platform_->schema()));
    TARN_TRY(control->run(mark, {backup, format_sql(now_millis())}));
    return {};
}

// `_tarn_stamps` tells a database of Tarn's, the marker a restore: they come first and go last.
Result<> Target::begin_server(const std::string& backup) {
    TARN_TRY(server::take_database(*connection_, lock_seconds));
    if (begun_) {
        for (const auto& [name, table] : platform_->schema().tables()) {
            if (name == marker || name == stamps) continue;
            TARN_TRY(connection_->run_once("drop table if exists " + sql_name(name)));
        }
        TARN_TRY(connection_->run_once(fmt::format("delete from {}", stamps)));
        TARN_TRY(connection_->run_once(fmt::format("delete from {}", marker)));
    }
    TARN_TRY(server::ensure_tables(*connection_, platform_->schema(), [](const Table& table) {
        return table.name == marker || table.name == stamps;
    }));
    TARN_TRY(connection_->run(mark, {backup, format_sql(now_millis())}));
    // A new session: the database is to be held by the home.
    return connection_->reconnect();
}

Result<> Target::set_last_id(ControlStore& control, const Table& table, std::int64_t id) {
    auto column = std::ranges::find_if(table.columns, &Column::auto_increment);
    if (id <= 0 || column == table.columns.end()) return {};
    if (!connection_) {
        TARN_TRY(control.run("delete from sqlite_sequence where name = ?", {table.name}));
        TARN_TRY(control.run("insert into sqlite_sequence (name, seq) values (?, ?)", {table.name, id}));
        return {};
    }
    if (connection_->engine() == Engine::mysql)
        return connection_->run_once(
            fmt::format("alter table {} auto_increment = {}", sql_name(table.name), id + 1));
    TARN_TRY(connection_->query("select setval(pg_get_serial_sequence(?, ?)::regclass, ?::bigint)",
                                {sql_name(table.name), column->name, id}));
    return {};
}

}  // namespace tarn::backup
