// CSV files that go in and out over the API, as a folder's files.yaml declares them (docs/metrics.md, "CSV files").
//
// csv_files() reads a folder's files.yaml once and keeps it; a folder without one has no files. Errors in it: bad_data with file and line, from
// check_csv_files(); such a folder has no files.
// Thread rule: any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tarn::run {

struct FormField {
    std::string name;
    bool flag = false;  // "true" or anything else; otherwise a text that must not be empty
};

// What one table gets from the rows of a file.
struct CsvTarget {
    std::string table;
    bool copies = false;  // the file's columns that the table has
    // column -> expression over `f`, a row of the file; those of `given` only where the file has one of the columns they name
    std::vector<std::pair<std::string, std::string>> set, given;
    std::string select;    // instead of them: a select over `file`
    std::string replaces;  // condition on the table's rows that go first, unless the upload is incremental
};

struct CsvFile {
    std::string name;    // "users.csv"
    std::string method;  // POST: below csvfiles/; PUT: beside the other routes, with a download
    std::string import;  // DevLake's name of the upload, for recorded cases
    std::string place;   // file:line
    std::vector<FormField> form;
    std::vector<std::string> needs;    // columns that must be there and filled
    std::vector<std::string> columns;  // further columns that are known
    std::string like;                  // a table whose columns are known, too
    // message -> select of the lines (`line`) that it refuses
    std::vector<std::pair<std::string, std::string>> refuses;
    std::vector<CsvTarget> targets;
    std::string download;  // a select
    std::string sample;    // CSV text of an example

    [[nodiscard]] bool has_flag(const std::string& flag) const;
};

struct CsvFiles {
    std::vector<CsvFile> files;

    [[nodiscard]] const CsvFile* find(const std::string& method, const std::string& name) const;
    [[nodiscard]] const CsvFile* by_import(const std::string& import) const;
    [[nodiscard]] bool any_method(const std::string& method) const;
};

const CsvFiles& csv_files(const std::string& folder);
Result<> check_csv_files(const std::string& folder);

}  // namespace tarn::run
