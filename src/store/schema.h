// The declared schema: tables of the project's DDL dialect (docs/connectors.md, "Tables").
//
// Schema::parse reads one file's text; errors are bad_data with file:line. A Schema is built once at load and read-only after.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace tarn {

enum class ColumnType {
    varchar,
    text,
    bigint,
    ubigint,
    integer,
    smallint,
    real8,
    real4,
    boolean,
    datetime,
    date,
    json,
    blob,
    payload
};

struct Column {
    std::string name;
    ColumnType type = ColumnType::text;
    int length = 0;  // of varchar
    bool not_null = false;
    bool auto_increment = false;
    bool secret = false;
};

struct Table {
    std::string name;
    std::vector<Column> columns;  // with those that `origin` and `times` add
    std::vector<std::string> primary_key;
    struct Index {
        std::vector<std::string> columns;
        bool unique = false;
    };
    std::vector<Index> indexes;
    bool shared = false;
    bool control = false;
    bool unsaved = false;  // belongs to one process, cache or database: no part of a backup
    std::string place;     // file:line

    [[nodiscard]] const Column* column(std::string_view column_name) const;
    [[nodiscard]] bool has_origin() const { return column("_raw_data_id") != nullptr; }
    [[nodiscard]] bool has_times() const { return column("updated_at") != nullptr; }
};

class Schema {
  public:
    // Adds the tables of one DDL text; `file` is named in errors and Table::place. A table declared twice is an error.
    Result<> parse(const std::string& text, const std::string& file);
    Result<> parse_file(const std::string& path);
    void add(Table table);  // replaces one of the same name

    [[nodiscard]] const Table* table(std::string_view name) const;
    [[nodiscard]] Table* table(std::string_view name);
    [[nodiscard]] const std::map<std::string, Table, std::less<>>& tables() const { return tables_; }

    // A raw table: DevLake's columns and our own (docs/architecture.md, "Raw rows").
    static Table raw_table(const std::string& name);

  private:
    std::map<std::string, Table, std::less<>> tables_;
};

// "VARCHAR", "TIMESTAMP", ... as DuckDB writes it; datetime is TIMESTAMP, payload and json are VARCHAR.
std::string duck_type(const Column& column);
std::string duck_ddl(const Table& table);  // create table if not exists …, without keys or indexes
std::vector<std::string> sqlite_ddl(const Table& table);  // create table if not exists …, and its indexes

}  // namespace tarn
