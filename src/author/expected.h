// Expected rows of a test: rows/<table>.csv, compared with what the tables hold.
//
// A file lists all rows of its table, of each the columns in its first line; the table's key columns must be among them. `NULL` is no
// value. Times are compared as times, JSON as JSON, numbers as numbers. A file with the first line alone says that the table is empty.
// Thread rule: one user at a time.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/data_file.h"
#include "store/schema.h"

namespace tarn::author {

// A difference a line, grouped by file and row; empty where all is as expected.
struct Comparison {
    std::size_t tables = 0, rows = 0;
    std::vector<std::string> differences;
    bool rejects_expected = false;  // a file for what was put aside is there
};

// bad_data: a file that cannot be read, an unknown table or column, a key column that is missing.
Result<Comparison> compare_rows(const std::string& folder, const Schema& schema, DataFile& data);

// Writes what the tables hold: to existing files in their columns; where the folder has none, for each of `tables` that has rows, in the
// columns that have values.
Result<std::vector<std::string>> write_rows(const std::string& folder, const Schema& schema, DataFile& data,
                                            const std::vector<std::string>& tables);

}  // namespace tarn::author
