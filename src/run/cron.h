// Times of a cron line, in UTC.
//
// Five fields (minute, hour, day of month, month, day of week) of `*`, `?`, numbers, names (JAN, MON), ranges, lists and steps; or @yearly,
// @annually, @monthly, @weekly, @daily, @midnight, @hourly, `@every 1h30m`. Where both days are given, either will do. A prefix `TZ=` or
// `CRON_TZ=` may name UTC.
// Thread rule: a plain value. Errors: bad_data with the field that is wrong.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace tarn::run {

class Cron {
  public:
    static Result<Cron> parse(const std::string& line);

    // The first time after `time`; nullopt where there is none within the next years (30 February).
    [[nodiscard]] std::optional<Millis> next(Millis time) const;

  private:
    using Values = std::bitset<64>;
    enum Field { minute, hour, day, month, weekday };

    [[nodiscard]] bool on_day(Millis midnight) const;
    [[nodiscard]] std::optional<Millis> within_day(Millis midnight, Millis from) const;

    std::array<Values, 5> fields_;
    bool any_day_ = false, any_weekday_ = false;  // written as `*`
    Millis every_ = 0;                            // not 0: @every
};

}  // namespace tarn::run
