// Releases of Apache DevLake by the scripts in `_devlake_migration_history`.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace tarn::upgrade {

// The newest release whose last script has run; "unknown" where no script has.
std::string release_of(const std::set<std::int64_t>& scripts);

}  // namespace tarn::upgrade
