#include "backup/source.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/text.h"
#include "run/custom_fields.h"
#include "run/home.h"
#include "store/server/control.h"
#include "store/server/ddl.h"
#include "store/server/payload.h"

namespace tarn::backup {
namespace {

using server::Engine;
using server::Field;
using server::Present;
using OwnColumns = std::map<std::string, std::vector<Column>>;

constexpr int page_rows = 200;

Failure nothing_there(const std::string& place) {
    return fail(ErrorKind::terminal, "there is no data yet", place,
                "Run `tarn sync` or `tarn serve` first, or choose another home with --home.");
}

const Column* auto_column(const Table& table) {
    auto found = std::ranges::find_if(table.columns, &Column::auto_increment);
    return found == table.columns.end() ? nullptr : &*found;
}

// The declared tables, with users' own columns, as far as they are there.
std::vector<Table> found_tables(const Schema& schema, const Present& present, const OwnColumns& own) {
    std::vector<Table> data, control;
    for (const auto& [name, declared] : schema.tables()) {
        auto there = present.find(name);
        if (declared.unsaved || there == present.end()) continue;
        Table table = declared;
        if (auto more = own.find(name); more != own.end())
            table.columns.insert(table.columns.end(), more->second.begin(), more->second.end());
        std::erase_if(table.columns,
                      [&](const Column& column) { return !there->second.contains(column.name); });
        (table.control ? control : data).push_back(std::move(table));
    }
    data.insert(data.end(), control.begin(), control.end());
    return data;
}

// Tables of connectors by their names: others in a database are nobody's business.
bool looks_ours(const std::string& name) { return name.starts_with("_tool_") || name.starts_with("_raw_"); }

std::string select_of(const Table& table, const std::function<std::string(const Column&)>& expression) {
    std::vector<std::string> columns;
    for (const auto& column : table.columns) columns.push_back(expression(column));
    return fmt::format("select {} from {}", join(columns, ", "), sql_name(table.name));
}

// ---- files of its own

class EmbeddedSource final : public Source {
  public:
    Result<> open(const std::string& folder, const run::Platform& platform,
                  const secrets::Settings& settings);
    Result<> rows(const Table& table, const Row& row) override {
        return table.control ? control_rows(table, row) : data_rows(table, row);
    }
    Result<std::int64_t> last_id(const Table& table) override;

  private:
    Result<Present> present(const Schema& schema);
    Result<> find_undeclared(const Schema& schema, const Present& present);
    Result<> control_rows(const Table& table, const Row& row);
    Result<> data_rows(const Table& table, const Row& row);

    std::unique_ptr<run::HomeLock> lock_;  // released after the stores are closed
    std::unique_ptr<ControlStore> control_;
    std::unique_ptr<duck::Database> data_;
    std::unique_ptr<duck::Connection> reader_;
};

Result<> EmbeddedSource::open(const std::string& folder, const run::Platform& platform,
                              const secrets::Settings& settings) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder, ignored)) return nothing_there(folder);
    TARN_ASSIGN(lock_, run::HomeLock::open(folder));
    TARN_ASSIGN(control_, run::open_control(folder, platform, settings));
    TARN_TRY(run::require_whole(*control_));
    TARN_ASSIGN(data_, run::open_data(folder, settings));
    TARN_ASSIGN(reader_, data_->connect());
    TARN_TRY(reader_->run("begin transaction"));
    TARN_ASSIGN(auto own, run::custom_columns(*control_));
    TARN_ASSIGN(auto there, present(platform.schema()));
    tables_ = found_tables(platform.schema(), there, own);
    return find_undeclared(platform.schema(), there);
}

// Control tables have mirrors of the same names in the data file.
Result<Present> EmbeddedSource::present(const Schema& schema) {
    Present out;
    TARN_TRY(
        reader_->each("select table_name, column_name from duckdb_columns() where not internal and "
                      "database_name = current_database()",
                      [&](const std::vector<duck::Text>& row) { out[*row[0]].insert(*row[1]); }));
    for (const auto& [name, table] : schema.tables()) {
        if (!table.control) continue;
        auto& columns = out[name];
        columns.clear();
        for (const auto& column : table.columns) columns.insert(column.name);
    }
    return out;
}

Result<> EmbeddedSource::find_undeclared(const Schema& schema, const Present& present) {
    std::set<std::string> names;
    for (const auto& [name, columns] : present) {
        if (schema.table(name) != nullptr || !looks_ours(name)) continue;
        TARN_ASSIGN(auto rows, reader_->number("select count(*) from " + sql_name(name)));
        if (rows > 0) names.insert(name);
    }
    TARN_ASSIGN(auto tables, control_->query("select name from sqlite_master where type = 'table'"));
    for (std::size_t i = 0; i < tables.rows.size(); ++i) {
        auto name = tables.text(i, "name");
        if (schema.table(name) != nullptr || !looks_ours(name)) continue;
        TARN_ASSIGN(auto rows, control_->query("select count(*) as n from " + sql_name(name)));
        if (rows.number(0, "n") > 0) names.insert(name);
    }
    undeclared_.assign(names.begin(), names.end());
    return {};
}

Result<> EmbeddedSource::data_rows(const Table& table, const Row& row) {
    auto select = select_of(table, [](const Column& column) {
        auto name = sql_name(column.name);
        return column.type == ColumnType::blob ? "to_base64(" + name + ")" : name;
    });
    std::vector<Field> fields(table.columns.size());
    std::vector<std::string> bytes(table.columns.size());
    return reader_->stream(select, [&](const std::vector<duck::Text>& values) -> Result<> {
        for (std::size_t i = 0; i < values.size(); ++i) {
            fields[i] = values[i] ? Field(*values[i]) : Field();
            if (!values[i] || table.columns[i].type != ColumnType::blob) continue;
            bytes[i] = from_base64(*values[i]).value_or("");
            fields[i] = bytes[i];
        }
        return row(fields);
    });
}

// A page at a time: plans may be long, and there may be many.
Result<> EmbeddedSource::control_rows(const Table& table, const Row& row) {
    auto select = select_of(table, [](const Column& column) { return sql_name(column.name); });
    select.insert(sizeof("select ") - 1, "rowid as tarn_place, ");
    select += fmt::format(" where rowid > ? order by rowid limit {}", page_rows);
    std::int64_t place = -1;
    std::vector<Field> fields(table.columns.size());
    std::vector<std::string> texts(table.columns.size());
    while (true) {
        TARN_ASSIGN(auto rows, control_->query(select, {place}));
        for (std::size_t r = 0; r < rows.rows.size(); ++r) {
            for (std::size_t i = 0; i < fields.size(); ++i) {
                const auto& name = table.columns[i].name;
                texts[i] = rows.text(r, name);
                fields[i] = rows.is_null(r, name) ? Field() : Field(texts[i]);
            }
            place = rows.number(r, "tarn_place");
            TARN_TRY(row(fields));
        }
        if (rows.rows.size() < page_rows) return {};
    }
}

Result<std::int64_t> EmbeddedSource::last_id(const Table& table) {
    if (!table.control) return 0;
    TARN_ASSIGN(auto rows,
                control_->query("select seq as n from sqlite_sequence where name = ?", {table.name}));
    return rows.number(0, "n");
}

// ---- a database server

class ServerSource final : public Source {
  public:
    Result<> open(const run::Platform& platform, const std::string& address);
    Result<> rows(const Table& table, const Row& row) override;
    Result<std::int64_t> last_id(const Table& table) override;

  private:
    Result<> begin_snapshot();
    [[nodiscard]] bool is_mysql() const { return connection_->engine() == Engine::mysql; }

    std::unique_ptr<server::Connection> connection_;
};

Result<> ServerSource::open(const run::Platform& platform, const std::string& address) {
    TARN_ASSIGN(auto url, server::parse_db_url(address));
    TARN_ASSIGN(connection_, server::connect(url));
    // The columns of users' own change alone with a column that is added meanwhile: the snapshot has it or not.
    TARN_ASSIGN(auto control, server::open_control(url));
    TARN_TRY(begin_snapshot());
    TARN_ASSIGN(auto there, server::present_columns(*connection_, server::Views::left_out));
    if (!there.contains("_tarn_stamps")) return nothing_there(url.shown());
    if (there.contains("_tarn_restores")) TARN_TRY(run::require_whole(*control));
    OwnColumns own;
    if (there.contains("_tool_customized_fields")) {
        TARN_ASSIGN(own, run::custom_columns(*control));
    }
    tables_ = found_tables(platform.schema(), there, own);
    for (const auto& [name, columns] : there) {
        if (platform.schema().table(name) != nullptr || !looks_ours(name)) continue;
        TARN_ASSIGN(auto rows,
                    connection_->query(fmt::format("select 1 as n from {} limit 1", sql_name(name))));
        if (!rows.rows.empty()) undeclared_.push_back(name);
    }
    return {};
}

Result<> ServerSource::begin_snapshot() {
    if (is_mysql()) {
        TARN_TRY(connection_->run_once("set session transaction isolation level repeatable read"));
        return connection_->run_once("start transaction with consistent snapshot, read only");
    }
    return connection_->run_once("begin transaction isolation level repeatable read, read only");
}

Result<> ServerSource::rows(const Table& table, const Row& row) {
    auto select = select_of(table, [&](const Column& column) {
        auto name = sql_name(column.name);
        // MySQL writes a float with six digits, as a double with all.
        return is_mysql() && column.type == ColumnType::real4 ? name + " + 0e0" : name;
    });
    std::vector<Field> fields;
    std::vector<std::string> payloads(table.columns.size());
    return connection_->each(select, [&](const std::vector<Field>& values) -> Result<> {
        fields = values;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!values[i] || table.columns[i].type != ColumnType::payload) continue;
            TARN_ASSIGN(payloads[i], server::unpacked(*values[i]));
            fields[i] = payloads[i];
        }
        return row(fields);
    });
}

Result<std::int64_t> ServerSource::last_id(const Table& table) {
    const Column* column = auto_column(table);
    if (column == nullptr) return 0;
    auto name = sql_name(column->name);
    TARN_ASSIGN(auto highest, connection_->query(fmt::format("select coalesce(max({}), 0) as n from {}", name,
                                                             sql_name(table.name))));
    // Where MySQL keeps old statistics the highest id is what is known.
    auto given = is_mysql()
                     ? connection_->query(
                           "select cast(auto_increment as signed) - 1 as n from information_schema.tables "
                           "where table_schema = database() and table_name = ?",
                           {table.name})
                     : connection_->query(
                           "select coalesce(pg_sequence_last_value(pg_get_serial_sequence(?, ?)::regclass), "
                           "0) as n",
                           {sql_name(table.name), column->name});
    if (!given) return fail(given.error());
    return std::max(highest.number(0, "n"), given->number(0, "n"));
}

}  // namespace

Result<std::unique_ptr<Source>> Source::open(const std::string& folder, const run::Platform& platform,
                                             const secrets::Settings& settings) {
    auto address = settings.get("DB_URL");
    if (address.empty()) {
        auto source = std::make_unique<EmbeddedSource>();
        TARN_TRY(source->open(folder, platform, settings));
        return std::unique_ptr<Source>(std::move(source));
    }
    auto source = std::make_unique<ServerSource>();
    TARN_TRY(source->open(platform, address));
    return std::unique_ptr<Source>(std::move(source));
}

}  // namespace tarn::backup
