// Functions of the SQL vocabulary that macros cannot write.
//
//   regex_groups(pattern, text) -> list of the groups of the first match (RE2, '' for a group that took no part); NULL where the pattern does not match,
//   one of the two is NULL or the pattern does not compile (patterns of a scope config are checked before a task starts).
//   path_text(json, path) -> what the path (base/json_path.h) finds, as text; NULL for null or where nothing is there.
//   path_list(json, path) -> texts of the list's items that the path finds, '' for null; NULL where it finds no list.
#pragma once

#include "base/result.h"
#include "store/duck.h"

namespace tarn::model {

Result<> register_text_functions(duck::Connection& connection);

}  // namespace tarn::model
