// Items as they lie in the raw table, to be handed to a pass again: what was not asked for anew was still there.
// Thread rule: any thread. Errors: those of the data file.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/data_file.h"
#include "store/raw.h"

namespace tarn::connector {

struct RawPlace {
    std::string raw_table, params;
};

// The items of these keys below one parent ("" none); fewer where some are not there.
Result<std::vector<RawItem>> stored_items(DataFile& data, const RawPlace& place, const std::string& input_key,
                                          const std::vector<std::string>& item_keys);
// All items below these parents.
Result<std::vector<RawItem>> stored_below(DataFile& data, const RawPlace& place,
                                          const std::vector<std::string>& input_keys);

// All items of a list without parents.
Result<std::vector<RawItem>> all_items(DataFile& data, const RawPlace& place);

}  // namespace tarn::connector
