// Queries of users: one select, in a transaction that cannot write.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "store/duck.h"

namespace tarn::api {

// {"columns": [{"name", "type"}], "rows": [[value]]}; numbers and booleans as such, everything else as text.
// bad_data: not one select, or one that DuckDB refuses, with its reason. Thread rule: any thread.
Result<nlohmann::json> run_query(duck::Database& database, const std::string& sql);

}  // namespace tarn::api
