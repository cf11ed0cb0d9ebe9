// Rows that come from outside of any model (webhooks, uploads), brought into a data table within a write job.
// Thread rule: the job's thread. Errors: bad_data with the column's name where a value does not fit, or a key is there already.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/duck.h"
#include "store/schema.h"

namespace tarn {

struct NewRows {
    std::vector<std::string> columns;
    std::vector<std::vector<duck::Text>> rows;  // one value a column
};

// Adds rows, or changes those of their keys: columns that are not named stay. Of one key given twice the last row counts. Rows that
// are equal already are not written. `stamp`: what is written gets as updated_at.
Result<> upsert_rows(duck::Connection& connection, const Table& table, const NewRows& rows, Millis stamp);
// Adds rows as they are; created_at and updated_at get the stamp where the rows do not name them.
Result<> insert_rows(duck::Connection& connection, const Table& table, const NewRows& rows, Millis stamp);

}  // namespace tarn
