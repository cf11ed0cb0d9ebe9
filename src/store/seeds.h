// Rows that every home has from its start, as dashboards expect them: `schema/seeds/<table>.sql`, one select in DuckDB's SQL for each table.
//
// A table is filled where it has no row, and left alone otherwise: rows that a user changed or took out stay so.
// Thread rule: any thread, not within a write job. Errors: terminal for a file that cannot be read, bad_data for one of no declared table.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/data_file.h"
#include "store/put_rows.h"
#include "store/schema.h"

namespace tarn {

struct Seed {
    Table table;
    std::string select;
};

// Those of a folder, in the order of their tables' names; none where there is no such folder.
Result<std::vector<Seed>> load_seeds(const std::string& folder, const Schema& schema);
// The rows of a seed, without a data file.
Result<NewRows> seed_rows(const Seed& seed);
Result<> fill_seeds(DataFile& data, const std::vector<Seed>& seeds);

}  // namespace tarn
