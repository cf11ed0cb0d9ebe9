#include "connector/latest_state.h"

namespace tarn::connector {
namespace {

constexpr const char* key = " where raw_data_params = ? and raw_data_table = ?";

ControlValue time_value(Millis time) { return time == 0 ? ControlValue() : ControlValue(format_sql(time)); }

Millis time_of(const ControlRows& rows, const char* column) {
    Millis time = 0;
    return parse_time(rows.text(0, column), time) == Parsed::ok ? time : 0;
}

}  // namespace

Result<LatestState> load_latest_state(ControlStore& control, const std::string& raw_table,
                                      const std::string& params) {
    TARN_ASSIGN(
        ControlRows rows,
        control.query(
            std::string("select latest_success_start, time_after from _devlake_collector_latest_state") + key,
            {params, raw_table}));
    if (rows.rows.empty()) return LatestState{};
    return LatestState{true, time_of(rows, "latest_success_start"), time_of(rows, "time_after")};
}

SyncMode sync_mode(const LatestState& state, bool full_sync, Millis time_after) {
    if (full_sync || state.latest_success_start == 0)
        return {true, time_after != 0 ? time_after : state.time_after};
    if (time_after == 0 || state.time_after == 0 || time_after >= state.time_after)
        return {false, state.latest_success_start};
    return {true, time_after};
}

Result<> save_latest_state(ControlStore& control, const std::string& raw_table, const std::string& params,
                           const LatestState& before, const SyncMode& mode, Millis started,
                           Millis time_after) {
    Millis kept = mode.full && time_after != 0 ? time_after : before.time_after;
    std::string now = format_sql(now_millis());
    if (before.exists) {
        TARN_TRY(control.run(std::string("update _devlake_collector_latest_state set latest_success_start = "
                                         "?, time_after = ?, updated_at = ?") +
                                 key,
                             {time_value(started), time_value(kept), now, params, raw_table}));
        return {};
    }
    TARN_TRY(
        control.run("insert into _devlake_collector_latest_state "
                    "(raw_data_params, raw_data_table, latest_success_start, time_after, created_at, "
                    "updated_at) values (?, ?, ?, ?, ?, ?)",
                    {params, raw_table, time_value(started), time_value(kept), now, now}));
    return {};
}

}  // namespace tarn::connector
