// A database server as an upgrade sees it: the tables that are there, whoever made them.
//
// Names and types come from the catalogue at load(); the calls that change the schema keep what was loaded current. All of them can be run again:
// what is already so is left as it is.
// Thread rule: one thread. Errors: those of the connection, with the table as place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/schema.h"
#include "store/server/connection.h"

namespace tarn::upgrade {

struct FoundColumn {
    std::string name;
    std::string kind;  // the type's word in lower case: bigint, varchar, longtext, timestamptz, …
    int length = 0;    // of varchar
    bool not_null = false;
    bool has_default = false;
    bool is_checked = false;  // by a condition of its own, as MariaDB's JSON is
};

struct FoundTable {
    std::vector<FoundColumn> columns;
    std::vector<std::string> primary_key;
    [[nodiscard]] const FoundColumn* column(std::string_view name) const;
};

class Database {
  public:
    explicit Database(std::unique_ptr<server::Connection> connection) : connection_(std::move(connection)) {}

    Result<> load();
    [[nodiscard]] const std::map<std::string, FoundTable, std::less<>>& tables() const { return tables_; }
    [[nodiscard]] const FoundTable* table(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view table, std::string_view column) const;
    [[nodiscard]] server::Connection& connection() { return *connection_; }
    [[nodiscard]] bool is_mysql() const { return connection_->engine() == server::Engine::mysql; }

    Result<std::int64_t> count(const std::string& table, const std::string& condition = {});
    Result<> run(const std::string& sql, const std::vector<ControlValue>& values = {});

    // The table takes its indexes with it, also where their names must differ from those of all other tables.
    Result<> rename_table(const std::string& from, const std::string& to);
    // Takes checks on the old column away, as that of a text that must be JSON.
    Result<> rename_column(const std::string& table, const std::string& from, const Column& to);
    Result<> retype(const std::string& table, const Column& to);
    Result<> allow_null(const std::string& table, const std::string& column);
    Result<> drop_column(const std::string& table, const std::string& column);
    Result<> set_primary_key(const Table& declared);
    Result<> drop_table(const std::string& table);

  private:
    Result<> load_columns();
    Result<> load_keys();
    Result<> load_checks();
    Result<> run_at(const std::string& table, const std::string& sql);

    std::unique_ptr<server::Connection> connection_;
    std::map<std::string, FoundTable, std::less<>> tables_;
};

// Whether values of the declared column can be kept in the found one.
bool holds(const FoundColumn& found, const Column& declared);

}  // namespace tarn::upgrade
