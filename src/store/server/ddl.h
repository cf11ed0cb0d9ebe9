// Declared tables as a database server has them: names, types, keys and indexes as DevLake makes them (docs/server-homes.md).
//
// Data tables without a primary key get a column `_tarn_row` more, the MD5 of the row's values, by which rows are deleted.
// Thread rule: pure functions, and what takes a connection on the connection's thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/schema.h"
#include "store/server/connection.h"

namespace tarn::server {

constexpr const char* row_hash_column = "_tarn_row";

std::string column_type(const Column& column, Engine engine);
// create table if not exists, with keys; of PostgreSQL the indexes follow.
std::vector<std::string> table_ddl(const Table& table, Engine engine);
// The primary key's columns, as a statement that makes it lists them.
std::string key_columns(const Table& table, Engine engine);
// DevLake's name of an index, cut as PostgreSQL needs it.
std::string index_name(const Table& table, const Table::Index& index);

// The columns of each table that is there.
enum class Views { counted, left_out };
using Present = std::map<std::string, std::set<std::string>, std::less<>>;
Result<Present> present_columns(Connection& connection, Views views);

// Makes the tables that `wanted` picks where they are not there, and adds columns that are missing. Nothing is dropped or retyped.
// Errors: those of the connection, with the table's name.
Result<> ensure_tables(Connection& connection, const Schema& schema,
                       const std::function<bool(const Table&)>& wanted);

// One more column, or one less. Again is no error.
Result<> add_column(Connection& connection, const std::string& table, const Column& column);
Result<> drop_column(Connection& connection, const std::string& table, const std::string& column);

}  // namespace tarn::server
