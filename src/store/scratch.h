// Results kept in memory for the statements that follow: `from scratch('name')` reads one, with a column tarn_n (row number from 0);
// `scratch('name', share := n)` gives each thread at least n rows in a row. The rows have no order.
//
// Unlike a temp table a scratch result is freed at once when it is dropped or kept anew (DuckDB frees a temp table that was dropped in a
// transaction only when that ends), and is read by all cores whatever its size. Its memory is not counted in DuckDB's memory limit. It belongs
// to no transaction. Thread rule: a Scratch may be shared by threads; what a statement has begun to read stays until it ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace tarn::duck {

class Connection;

class Scratch {
  public:
    // Makes the table function known to all connections of the connection's database. Must outlive the database.
    static Result<std::unique_ptr<Scratch>> attach(Connection& connection);
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    // Runs the select, which may read the former rows of the same name, and keeps its rows. Value: their number.
    // Errors: the select's; then the former rows stay.
    Result<std::int64_t> keep(Connection& connection, const std::string& name, const std::string& select);
    void drop(const std::string& name);
    void clear();

  private:
    Scratch();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::duck
