// MEMORY_LIMIT: what the whole process may use, as "512MB" or "2GB".
//
// Thread rule: any thread. Errors: terminal, not a size.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace tarn {

// How it is shared out. Without a limit the data file takes what DuckDB takes by default.
struct MemoryShares {
    std::string data;                        // the data file's part, never below 200 MB; "" DuckDB's default
    std::int64_t batch_bytes = 144'000'000;  // of rows that models work on at a time, 36 to 144 MB
};
Result<MemoryShares> memory_shares(const std::string& memory_limit);

// One heap a core at most from now on. glibc's eight a core each keep what was freed: a git history took 40 MB more.
void limit_heaps();

}  // namespace tarn
