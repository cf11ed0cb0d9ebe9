// How a data table's rows go between the data file and a database server.
//
// Thread rule: plain values; pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/duck.h"
#include "store/schema.h"
#include "store/server/connection.h"
#include "store/server/rows_text.h"

namespace tarn::server {

struct TableMap {
    TableMap(const Table& table, Engine engine);

    std::string name;
    std::string params;                        // the column that names the scope; "" where rows have none
    std::vector<std::string> columns;          // of the server's table
    std::vector<std::string> key;              // of the server's table
    std::vector<std::string> key_expressions;  // of the file's row
    std::string file_select;    // the columns as texts, and the scope ("" for none) as the last one
    std::string server_select;  // the file's columns, as the file takes them

    // One row of file_select into the bulk text.
    void write(const std::vector<duck::View>& row, RowsText& out) const;
    // One row of server_select into the file.
    Result<> read(const std::vector<Field>& row, duck::Appender& out) const;

    std::string scope_expression;  // of the file's row
    const Table* table;
};

// Bytes as DuckDB reads a blob from text.
std::string escaped_blob(std::string_view bytes);

}  // namespace tarn::server
