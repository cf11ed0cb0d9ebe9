// Mirrors of control tables in the data file, where models read them.
#pragma once

#include "base/result.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/schema.h"

namespace tarn {

// Brings the mirror of the control table `table` up to date, without its secret columns. Rows are compared over all columns but
// `created_at` and `updated_at`; equal ones are not written, so that their `updated_at` stays. A different row gets a new stamp as
// `updated_at`: a model that asks for what has changed since its last run sees it, whenever the control row was written.
// Rows that models made of raw rows are left alone, unless the control table has their key.
// The tables must be there (ensure). Not inside a control transaction. Thread rule: any thread.
Result<> mirror_control(DataFile& data, ControlStore& control, const Table& table);
// The same within a job of the data file.
Result<> mirror_within(duck::Connection& connection, ControlStore& control, const Table& table);

}  // namespace tarn
