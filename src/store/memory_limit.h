// MEMORY_LIMIT: what the whole process may use, as "512MB" or "2GB".
//
// Thread rule: any thread. Errors: terminal, not a size.
#pragma once

#include <string>

#include "base/result.h"

namespace tarn {

// The part of it that the data file may use: less a reserve for the rest, never below 200 MB. "" stays "": DuckDB's default.
Result<std::string> data_memory_limit(const std::string& memory_limit);

// One heap a core at most from now on. glibc's eight a core each keep what was freed: a git history took 40 MB more.
void limit_heaps();

}  // namespace tarn
