// The rows of a stream's selects: parents, and unfinished items to read again.
//
// Order: the select's own `order by`, else by all columns, so that two runs give the same. A row that stands twice counts once.
// Thread rule: pure but for the connection. Errors: those of the select.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "connector/placeholders.h"
#include "store/duck.h"

namespace tarn::connector {

struct Parent {
    std::vector<std::string> values;  // of the columns, "" for NULL
    std::string input;  // JSON of the columns other than `version` and `item_key`, in their order
    std::string version;
    std::string item_key;
    bool fresh = false;  // never read
};

struct Parents {
    std::vector<std::string> columns;
    bool versioned = false;  // there is a column `version`
    std::vector<Parent> rows;
    std::int64_t left_out = 0;

    // {in.column} of a row.
    void add_values(const Parent& row, Values& values) const;
};

// Rows for which `wanted` is false are counted only. Whether `version` is among the columns is known when it is called.
Result<Parents> select_parents(duck::Connection& connection, const std::string& select,
                               const std::function<bool(const Parents&, const Parent&)>& wanted);

}  // namespace tarn::connector
