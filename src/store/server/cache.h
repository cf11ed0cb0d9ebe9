// The data file as a cache of a database server: brought up to date by the stamps of parts (`_tarn_parts`), all of it as of one moment.
//
// Thread rule: the data file's writer, unwatched, outside of a transaction. Errors: those of both stores. What was loaded before an error stays.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "store/duck.h"
#include "store/server/connection.h"
#include "store/server/table_map.h"

namespace tarn::server {

using TableMaps = std::map<std::string, TableMap, std::less<>>;

// Makes the rows of `_tarn_parts` that every database has. With the database's lock.
Result<> prepare_parts(Connection& connection);

// Gives a new file its number (store/data_file.h).
Result<> number_file(duck::Connection& writer);

struct Refreshed {
    bool whole = false;          // the file was no cache of this database
    bool other_columns = false;  // than `maps` have: nothing was loaded
    std::int64_t rows = 0;       // loaded
    std::int64_t commits = 0;    // of the server
};
// `columns`: the stamp of the tables' columns that `maps` are of.
Result<Refreshed> refresh(duck::Connection& writer, Connection& connection, const TableMaps& maps,
                          std::int64_t columns);

}  // namespace tarn::server
