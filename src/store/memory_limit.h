// MEMORY_LIMIT: what the whole process may use, as "512MB" or "2GB".
//
// Thread rule: any thread. Errors: terminal, not a size.
#pragma once

#include <string>

#include "base/result.h"
#include "store/duck.h"

namespace tarn {

// How it is shared out: `memory_limit` is the data file's part, never below 200 MB ("", DuckDB's default, without a limit); `batch_bytes`
// what models work on at a time, an eighth of the whole, 36 to 144 MB.
Result<duck::Options> options_within(const std::string& memory_limit);

// One heap a core at most from now on. glibc's eight a core each keep what was freed: a git history took 40 MB more.
void limit_heaps();

}  // namespace tarn
