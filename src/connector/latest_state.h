// The state of a collection as Apache DevLake keeps it: _devlake_collector_latest_state, by raw table and params.
// Thread rule: any thread. Errors: those of the control store.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "store/control.h"

namespace tarn::connector {

struct LatestState {
    bool exists = false;
    Millis latest_success_start = 0;  // 0: never
    Millis time_after = 0;            // 0: not set
};

struct SyncMode {
    bool full = true;
    Millis since = 0;  // 0: everything
};

Result<LatestState> load_latest_state(ControlStore& control, const std::string& raw_table,
                                      const std::string& params);
SyncMode sync_mode(const LatestState& state, bool full_sync, Millis time_after);
// After a success: what the collection that began at `started` leaves.
Result<> save_latest_state(ControlStore& control, const std::string& raw_table, const std::string& params,
                           const LatestState& before, const SyncMode& mode, Millis started,
                           Millis time_after);

}  // namespace tarn::connector
