#include "upgrade/backup.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <sys/stat.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "store/server/rows_text.h"

namespace tarn::upgrade {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using backup::ArchiveReader;
using backup::ArchiveWriter;
using backup::Part;

constexpr std::size_t chunk_bytes = 4'000'000;

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

// Who has the owner's rights by a role only gives the table back to its owner, with its sequences.
Result<std::vector<std::string>> owners_of(Database& database, const std::string& name) {
    return texts_of(database,
                    "select 'alter ' || case when c.relkind = 'S' then 'sequence ' else 'table ' end || "
                    "quote_ident(c.relname) || ' owner to ' || quote_ident(pg_get_userbyid(c.relowner)) as t "
                    "from pg_class c where pg_get_userbyid(c.relowner) <> current_user and (c.oid = "
                    "?::regclass or c.oid in (select d.objid from pg_depend d where d.deptype = 'a' and "
                    "d.classid = 'pg_class'::regclass and d.refobjid = ?::regclass)) and c.relkind in ('r', "
                    "'S') order by c.relname",
                    {name, name});
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
    TARN_ASSIGN(auto owners, owners_of(database, name));
    std::vector<std::string> out = sequences;
    auto of_table = std::ranges::stable_partition(
        owners, [](const std::string& statement) { return statement.starts_with("alter sequence "); });
    out.insert(out.end(), owners.begin(), of_table.begin());
    out.push_back(fmt::format("create table {} ({})", name, join(columns, ", ")));
    for (const auto* part : {&keys, &indexes}) out.insert(out.end(), part->begin(), part->end());
    out.insert(out.end(), of_table.begin(), of_table.end());
    out.insert(out.end(), owned.begin(), owned.end());
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

const char* engine_name(const Database& database) { return database.is_mysql() ? "mysql" : "postgres"; }

Result<> add_rows(Database& database, const std::string& table, ArchiveWriter& archive) {
    const auto& found = *database.table(table);
    server::RowsText rows(database.connection().engine());
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
            if (rows.size() < chunk_bytes) return {};
            auto added = archive.add_rows(rows.rows());
            rows.clear();
            return added;
        }));
    return rows.empty() ? Result<>{} : archive.add_rows(rows.rows());
}

Result<> add_table(Database& database, const std::string& table, ArchiveWriter& archive) {
    TARN_ASSIGN(auto ddl, ddl_of(database, table));
    TARN_ASSIGN(auto sequences, sequence_values(database, table));
    TARN_TRY(archive.begin_table({{"name", table},
                                  {"engine", engine_name(database)},
                                  {"ddl", ddl},
                                  {"sequences", sequences},
                                  {"columns", columns_of(*database.table(table))}}));
    TARN_TRY(add_rows(database, table, archive));
    return archive.end_table();
}

// All of the file is read again, and what it has is counted against the tables.
Result<> prove(Database& database, const std::string& path, const std::string& passphrase) {
    TARN_ASSIGN(auto archive, ArchiveReader::open(path, backup_kind, passphrase));
    TARN_ASSIGN(auto tables, archive->check());
    for (const auto& table : tables) {
        auto name = table["name"].get<std::string>();
        TARN_ASSIGN(auto there, database.count(name));
        if (there != table["rows"].get<std::int64_t>())
            return fail(ErrorKind::terminal,
                        fmt::format("the backup has {} rows, the table {}", table["rows"].dump(), there),
                        "table " + name,
                        "Stop every other program that writes to the database, and try again.");
    }
    return {};
}

// What a killed upgrade has begun to write is no backup.
void remove_parts(const fs::path& folder) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
        if (entry.path().extension() == ".part") fs::remove(entry.path(), ignored);
}

Result<> make_table(Database& database, const Json& about) {
    TARN_TRY(database.drop_table(about["name"].get<std::string>()));
    for (const auto& statement : about["ddl"])
        TARN_TRY(database.connection().run_once(statement.get<std::string>()));
    return {};
}

Result<> end_table(Database& database, const Json& about, std::int64_t rows) {
    for (const auto& statement : about["sequences"])
        TARN_TRY(database.connection().query(statement.get<std::string>()));
    auto name = about["name"].get<std::string>();
    TARN_ASSIGN(auto counted, database.connection().query("select count(*) as n from " + sql_name(name)));
    if (counted.number(0, "n") == rows) return {};
    return fail(ErrorKind::terminal, fmt::format("{} rows came back of {}", counted.number(0, "n"), rows),
                "table " + name, "Run it again.");
}

}  // namespace

Result<backup::Counts> write_backup(Database& database, const std::vector<std::string>& tables,
                                    const std::string& path, const std::string& passphrase,
                                    const Told& tell) {
    auto folder = fs::path(path).parent_path();
    std::error_code code;
    fs::create_directories(folder, code);
    ::chmod(folder.c_str(), S_IRWXU);
    remove_parts(folder);
    TARN_ASSIGN(auto archive, ArchiveWriter::create(path, backup_kind, passphrase));
    for (const auto& table : tables) {
        tell("backup of " + table);
        TARN_TRY(add_table(database, table, *archive));
    }
    TARN_ASSIGN(auto counts, archive->finish());
    TARN_TRY(prove(database, path, passphrase));
    return counts;
}

Result<WholeBackup> open_backup(Database& database, const std::string& path, const std::string& passphrase) {
    WholeBackup backup;
    TARN_ASSIGN(backup.archive, ArchiveReader::open(path, backup_kind, passphrase));
    TARN_ASSIGN(auto tables, backup.archive->check());
    for (const auto& table : tables) backup.tables.push_back(table["name"].get<std::string>());
    TARN_ASSIGN(auto first, backup.archive->next());
    TARN_TRY(backup.archive->rewind());
    if (first.kind == Part::Kind::table && first.about.value("engine", "") != engine_name(database))
        return fail(
            ErrorKind::terminal,
            fmt::format("the backup is of another kind of server ({})", first.about.value("engine", "?")),
            path, "Name a database on a server of that kind in DB_URL. Nothing was changed.");
    return backup;
}

Result<backup::Counts> restore_backup(Database& database, ArchiveReader& archive, const Told& tell) {
    // Rows go back as they were, also what a strict session would refuse.
    if (database.is_mysql())
        TARN_TRY(database.connection().run_once(
            "set session sql_mode = 'ANSI_QUOTES,NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0"));
    backup::Counts counts;
    Json about;
    while (true) {
        TARN_ASSIGN(auto part, archive.next());
        if (part.kind == Part::Kind::end) break;
        if (part.kind == Part::Kind::table) {
            about = std::move(part.about);
            tell("restoring " + about["name"].get<std::string>());
            TARN_TRY(make_table(database, about));
        } else if (part.kind == Part::Kind::rows) {
            TARN_TRY(database.connection().load(about["name"].get<std::string>(),
                                                about["columns"].get<std::vector<std::string>>(), part.rows));
        } else {
            auto rows = part.about["rows"].get<std::int64_t>();
            TARN_TRY(end_table(database, about, rows));
            ++counts.tables;
            counts.rows += rows;
        }
    }
    TARN_TRY(database.load());
    return counts;
}

}  // namespace tarn::upgrade
