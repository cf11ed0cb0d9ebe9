// _tarn_gone: what is put down of data rows before they are deleted, so that models which read them notice.
// Thread rule: pure function.
#pragma once

#include <string>

#include "store/schema.h"

namespace tarn {

// The statement that puts down the table's rows that meet `condition`; `stamp` is a timestamp literal. The table has a primary key.
std::string insert_gone(const Table& table, const std::string& condition, const std::string& stamp);

}  // namespace tarn
