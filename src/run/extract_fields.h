// Extra columns of domain rows, filled from the raw rows that they were made of, by rules of a task's options.
//
// A rule {table, rawDataTable, rawDataParams, mapping: {column: path}} means the table's rows whose raw table is this one and whose raw params
// are like the text (% and _ as in LIKE). Each path (base/json_path.h) is looked up in the raw row; null, and nothing, empty the column. A value
// that its column cannot hold is put down in _tarn_rejects, and the column stays. Of issues, a list goes to issue_custom_array_fields,
// an item a row, in the place of the field's earlier rows. Rows that are equal already are not written.
// Thread rule: any thread. Errors: bad_data with the rule's place, as transformationRules[0].mapping.
#pragma once

#include <map>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/cancel.h"
#include "base/result.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/schema.h"

namespace tarn::run {

// What fields.yaml of a folder says: the subtask that does this, by the rules of this option. nullopt: there is no such file.
struct FieldRules {
    std::string subtask, option;
};
Result<std::optional<FieldRules>> field_rules(const std::string& folder);

struct ExtractCounts {
    std::map<std::string, std::int64_t> changed;  // rows by table
    std::int64_t rejected = 0;
};

Result<ExtractCounts> extract_fields(DataFile& data, ControlStore& control, const Schema& schema,
                                     const FieldRules& names, const nlohmann::json& rules,
                                     const CancelToken& cancel);

}  // namespace tarn::run
