#include "upgrade/backup.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <zstd.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "secrets/env_file.h"
#include "store/server/rows_text.h"

namespace tarn::upgrade {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::size_t chunk_bytes = 4'000'000;
constexpr int level = 3;
constexpr const char* list_file = "tables.json";

Failure cannot_write(const std::string& path) {
    return fail(ErrorKind::terminal, "cannot be written", path,
                "Make room on the disk, check the folder's rights, and try again.");
}

std::string rows_file(const std::string& folder, std::size_t number) {
    return fmt::format("{}/{}.rows", folder, number);
}

// Frames of rows, each with its size in front.
class RowsFile {
  public:
    explicit RowsFile(std::string path) : path_(std::move(path)), out_(path_, std::ios::binary) {
        ::chmod(path_.c_str(), S_IRUSR | S_IWUSR);
    }

    Result<> add(const std::string& rows) {
        std::string packed(ZSTD_compressBound(rows.size()), '\0');
        auto size = ZSTD_compress(packed.data(), packed.size(), rows.data(), rows.size(), level);
        if (ZSTD_isError(size) != 0) return fail(ErrorKind::terminal, "memory is short", path_);
        std::uint64_t sizes[2] = {size, rows.size()};
        out_.write(reinterpret_cast<const char*>(sizes), sizeof sizes);
        out_.write(packed.data(), static_cast<std::streamsize>(size));
        bytes_ += static_cast<std::int64_t>(size);
        return out_ ? Result<>{} : cannot_write(path_);
    }
    Result<std::int64_t> close() {
        out_.close();
        if (!out_) return cannot_write(path_);
        return bytes_;
    }

  private:
    std::string path_;
    std::ofstream out_;
    std::int64_t bytes_ = 0;
};

Result<> each_frame(const std::string& path, const std::function<Result<>(const std::string& rows)>& use) {
    std::ifstream in(path, std::ios::binary);
    auto damaged = [&] {
        return fail(ErrorKind::terminal, "the backup is damaged", path,
                    "Put the file back from a copy of the backup's folder.");
    };
    if (!in) return damaged();
    std::uint64_t sizes[2];
    while (in.read(reinterpret_cast<char*>(sizes), sizeof sizes)) {
        std::string packed(sizes[0], '\0'), rows(sizes[1], '\0');
        if (!in.read(packed.data(), static_cast<std::streamsize>(packed.size()))) return damaged();
        auto size = ZSTD_decompress(rows.data(), rows.size(), packed.data(), packed.size());
        if (ZSTD_isError(size) != 0 || size != rows.size()) return damaged();
        TARN_TRY(use(rows));
    }
    return in.gcount() == 0 ? Result<>{} : damaged();
}

std::string name_list(const std::vector<std::string>& names) {
    std::vector<std::string> out;
    for (const auto& name : names) out.push_back(sql_name(name));
    return join(out, ", ");
}

Result<std::vector<std::string>> texts_of(Database& database, const std::string& sql,
                                          const std::vector<ControlValue>& values) {
    TARN_ASSIGN(auto rows, database.connection().query(sql, values));
    std::vector<std::string> out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) out.push_back(rows.text(i, "t"));
    return out;
}

Result<std::vector<std::string>> mysql_ddl(Database& database, const std::string& table) {
    std::vector<std::string> out;
    TARN_TRY(database.connection().each("show create table " + sql_name(table),
                                        [&](const std::vector<server::Field>& row) -> Result<> {
                                            out.emplace_back(*row[1]);
                                            return {};
                                        }));
    return out;
}

// Sequences of serial columns first; then the table, its keys and indexes.
Result<std::vector<std::string>> postgres_ddl(Database& database, const std::string& table) {
    auto name = sql_name(table);
    TARN_ASSIGN(
        auto sequences,
        texts_of(database,
                 "select 'create sequence if not exists ' || quote_ident(s.relname) as t from pg_class s "
                 "join pg_depend d on d.objid = s.oid and d.deptype = 'a' join pg_class c on c.oid = "
                 "d.refobjid where s.relkind = 'S' and c.relname = ? and c.relnamespace = "
                 "current_schema()::regnamespace",
                 {table}));
    TARN_ASSIGN(
        auto columns,
        texts_of(database,
                 "select quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) || "
                 "coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') || case when a.attnotnull "
                 "then ' not null' else '' end as t from pg_attribute a left join pg_attrdef d on "
                 "d.adrelid = a.attrelid and d.adnum = a.attnum where a.attrelid = ?::regclass and "
                 "a.attnum > 0 and not a.attisdropped order by a.attnum",
                 {name}));
    TARN_ASSIGN(
        auto keys,
        texts_of(database,
                 "select 'alter table ' || ?::text || ' add constraint ' || quote_ident(conname) || ' ' "
                 "|| pg_get_constraintdef(oid) as t from pg_constraint where conrelid = ?::regclass "
                 "order by conname",
                 {name, name}));
    TARN_ASSIGN(auto indexes,
                texts_of(database,
                         "select pg_get_indexdef(i.indexrelid) as t from pg_index i where i.indrelid = "
                         "?::regclass and not exists (select 1 from pg_constraint c where c.conindid = "
                         "i.indexrelid) order by 1",
                         {name}));
    TARN_ASSIGN(
        auto owned,
        texts_of(database,
                 "select 'alter sequence ' || quote_ident(s.relname) || ' owned by ' || ?::text || '.' "
                 "|| quote_ident(a.attname) as t from pg_class s join pg_depend d on d.objid = s.oid "
                 "and d.deptype = 'a' join pg_attribute a on a.attrelid = d.refobjid and a.attnum = "
                 "d.refobjsubid where s.relkind = 'S' and d.refobjid = ?::regclass",
                 {name, name}));
    std::vector<std::string> out = sequences;
    out.push_back(fmt::format("create table {} ({})", name, join(columns, ", ")));
    for (const auto* part : {&keys, &indexes, &owned}) out.insert(out.end(), part->begin(), part->end());
    return out;
}

Result<std::vector<std::string>> ddl_of(Database& database, const std::string& table) {
    return database.is_mysql() ? mysql_ddl(database, table) : postgres_ddl(database, table);
}

// Where a serial column goes on.
Result<std::vector<std::string>> sequence_values(Database& database, const std::string& table) {
    if (database.is_mysql()) return std::vector<std::string>{};
    return texts_of(database,
                    "select 'select setval(' || quote_literal(quote_ident(s.relname)) || ', ' || "
                    "coalesce(pg_sequence_last_value(s.oid), 1) || ', ' || (pg_sequence_last_value(s.oid) is "
                    "not null)::text || ')' as t from pg_class s join pg_depend d on d.objid = s.oid and "
                    "d.deptype = 'a' where s.relkind = 'S' and d.refobjid = ?::regclass",
                    {sql_name(table)});
}

std::vector<std::string> columns_of(const FoundTable& table) {
    std::vector<std::string> names;
    for (const auto& column : table.columns) names.push_back(column.name);
    return names;
}

Result<std::int64_t> write_rows(Database& database, const std::string& table, RowsFile& file) {
    const auto& found = *database.table(table);
    server::RowsText rows(database.connection().engine());
    std::int64_t count = 0;
    TARN_TRY(database.connection().each(
        fmt::format("select {} from {}", name_list(columns_of(found)), sql_name(table)),
        [&](const std::vector<server::Field>& row) -> Result<> {
            for (std::size_t i = 0; i < row.size(); ++i) {
                bool bytes = database.is_mysql() || found.columns[i].kind == "bytea";
                if (!row[i]) {
                    rows.null();
                } else {
                    bytes ? rows.bytes(*row[i]) : rows.text(*row[i]);
                }
            }
            rows.end_row();
            ++count;
            if (rows.size() < chunk_bytes) return {};
            auto added = file.add(rows.rows());
            rows.clear();
            return added;
        }));
    if (!rows.empty()) TARN_TRY(file.add(rows.rows()));
    return count;
}

Result<> prove(Database& database, const std::string& table, const std::string& path, std::int64_t rows) {
    std::int64_t read = 0;
    TARN_TRY(each_frame(path, [&](const std::string& frame) -> Result<> {
        read += std::ranges::count(frame, '\n');
        return {};
    }));
    TARN_ASSIGN(auto there, database.count(table));
    if (read == rows && there == rows) return {};
    return fail(ErrorKind::terminal, fmt::format("the backup has {} rows, the table {}", read, there),
                "table " + table, "Stop every other program that writes to the database, and try again.");
}

Result<Json> list_of(const std::string& folder) {
    std::string text;
    if (!read_file(folder + "/" + list_file, text))
        return fail(ErrorKind::terminal, "there is no backup here", folder,
                    "Look for the folder that holds it.");
    auto list = Json::parse(text, nullptr, false);
    if (!list.is_object() || !list.contains("tables"))
        return fail(ErrorKind::terminal, "the backup is damaged", folder);
    return list;
}

// Before anything is dropped: all that goes back is there.
Result<> check_whole(const Json& list, const std::string& folder) {
    for (const auto& entry : list["tables"]) {
        auto path = rows_file(folder, entry["file"].get<std::size_t>());
        std::int64_t rows = 0;
        TARN_TRY(each_frame(path, [&](const std::string& frame) -> Result<> {
            rows += std::ranges::count(frame, '\n');
            return {};
        }));
        if (rows != entry["rows"].get<std::int64_t>())
            return fail(ErrorKind::terminal, "the backup is damaged: rows are missing. Nothing was changed",
                        path, "Put the file back from a copy of the backup's folder.");
    }
    return {};
}

Result<> restore_table(Database& database, const Json& entry, const std::string& path) {
    auto table = entry["name"].get<std::string>();
    TARN_TRY(database.drop_table(table));
    for (const auto& statement : entry["ddl"])
        TARN_TRY(database.connection().run_once(statement.get<std::string>()));
    auto columns = entry["columns"].get<std::vector<std::string>>();
    TARN_TRY(each_frame(path, [&](const std::string& rows) -> Result<> {
        TARN_TRY(database.connection().load(table, columns, rows));
        return {};
    }));
    for (const auto& statement : entry["sequences"])
        TARN_TRY(database.connection().query(statement.get<std::string>()));
    return {};
}

}  // namespace

Result<BackupCounts> write_backup(Database& database, const std::vector<std::string>& tables,
                                  const std::string& folder, const Told& tell) {
    std::error_code code;
    fs::remove_all(folder, code);
    if (!fs::create_directories(folder, code)) return cannot_write(folder);
    ::chmod(folder.c_str(), 0700);
    BackupCounts counts;
    Json list = {{"tables", Json::array()}};
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const auto& table = tables[i];
        tell("backup of " + table);
        auto path = rows_file(folder, i);
        RowsFile file(path);
        TARN_ASSIGN(auto ddl, ddl_of(database, table));
        TARN_ASSIGN(auto sequences, sequence_values(database, table));
        TARN_ASSIGN(auto rows, write_rows(database, table, file));
        TARN_ASSIGN(auto bytes, file.close());
        TARN_TRY(prove(database, table, path, rows));
        list["tables"].push_back({{"name", table},
                                  {"ddl", ddl},
                                  {"sequences", sequences},
                                  {"columns", columns_of(*database.table(table))},
                                  {"rows", rows},
                                  {"file", i}});
        ++counts.tables;
        counts.rows += rows;
        counts.bytes += bytes;
    }
    TARN_TRY(secrets::write_private_file(folder + "/" + list_file,
                                         list.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"));
    return counts;
}

Result<std::vector<std::string>> tables_of_backup(const std::string& folder) {
    TARN_ASSIGN(auto list, list_of(folder));
    std::vector<std::string> names;
    for (const auto& entry : list["tables"]) names.push_back(entry["name"].get<std::string>());
    return names;
}

Result<BackupCounts> restore_backup(Database& database, const std::string& folder, const Told& tell) {
    TARN_ASSIGN(auto list, list_of(folder));
    TARN_TRY(check_whole(list, folder));
    // Rows go back as they were, also what a strict session would refuse.
    if (database.is_mysql())
        TARN_TRY(database.connection().run_once(
            "set session sql_mode = 'ANSI_QUOTES,NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0"));
    BackupCounts counts;
    for (const auto& entry : list["tables"]) {
        auto table = entry["name"].get<std::string>();
        tell("restoring " + table);
        TARN_TRY(restore_table(database, entry, rows_file(folder, entry["file"].get<std::size_t>())));
        TARN_ASSIGN(auto counted,
                    database.connection().query("select count(*) as n from " + sql_name(table)));
        auto rows = counted.number(0, "n");
        if (rows != entry["rows"].get<std::int64_t>())
            return fail(ErrorKind::terminal,
                        fmt::format("{} rows came back of {}", rows, entry["rows"].dump()), "table " + table,
                        "Run it again.");
        ++counts.tables;
        counts.rows += rows;
    }
    TARN_TRY(database.load());
    return counts;
}

}  // namespace tarn::upgrade
