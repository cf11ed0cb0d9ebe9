// Finds the raw rows that make a model's select fail (a cast in it, say), by halving. Runs outside of a transaction, since in DuckDB an
// error ends the transaction it happens in.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/model_set.h"

namespace tarn::model {

struct BadItem {
    std::string raw_id, reason;
};

// `condition`: the raw rows the model was working on. Empty: no single row fails. When every row fails (of more than one), the model or an input is
// at fault: that error is given back.
Result<std::vector<BadItem>> find_bad_items(duck::Connection& connection, const ModelSet& set,
                                            const Model& model, const std::string& condition,
                                            const Inputs& inputs);

}  // namespace tarn::model
