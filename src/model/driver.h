// The driving relation of a model as a CTE that stands for "the rows to work on".
// Thread rule: pure functions.
#pragma once

#include <string>

#include "model/model_file.h"
#include "model/model_set.h"

namespace tarn::model {

// Struct literal of a row's provenance: {id, params, table, remark} of columns of `alias`.
std::string origin_of_row(const std::string& alias);
std::string origin_of_raw(const std::string& alias, const std::string& raw_table);

// The model's condition on the driving relation's rows of the scope, with $inputs still in it. Error: none can be derived.
Result<std::string> scope_condition(const Model& model, const Surroundings& around);

// The condition that a row's origin is one of the scratch result tarn_u's (`more`: a further condition on it, as u). A few ids are
// also listed, so that the storage can pass over what cannot match.
Result<std::string> origin_condition(duck::Connection& connection, const std::string& alias,
                                     const std::string& more = {});

// `with <driver> as (<rows>) select * from (<select>)`: `rows` is a select that yields the rows to work on, with origin.
std::string with_driver(const Model& model, const std::string& rows);

// Select of all rows of the scope (raw: unparsed rows are parsed), with `condition` added where not empty.
Result<std::string> driver_rows(const Model& model, const Surroundings& around, const std::string& condition);

}  // namespace tarn::model
