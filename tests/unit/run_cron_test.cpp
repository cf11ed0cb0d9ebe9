// Times of cron lines, in UTC.
#include <gtest/gtest.h>

#include "run/cron.h"

namespace tarn::run {
namespace {

struct Next {
    const char *line, *after, *next;  // next "": never
};

class CronNext : public testing::TestWithParam<Next> {};

TEST_P(CronNext, IsTheFirstTimeAfter) {
    auto cron = Cron::parse(GetParam().line);
    ASSERT_TRUE(cron) << cron.error().text();
    Millis after = 0;
    ASSERT_EQ(parse_time(GetParam().after, after), Parsed::ok);
    auto next = cron->next(after);
    EXPECT_EQ(next ? format_rfc3339(*next) : "", GetParam().next) << GetParam().line;
}

INSTANTIATE_TEST_SUITE_P(
    Table, CronNext,
    testing::Values(Next{"0 0 * * *", "2026-11-23T18:44:25Z", "2026-11-24T00:00:00Z"},
                    Next{"0 0 * * *", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"},
                    Next{"0 0 * * *", "2026-11-23T23:59:59.999Z", "2026-11-24T00:00:00Z"},
                    Next{"*/15 * * * *", "2026-11-23T18:44:25Z", "2026-11-23T18:45:00Z"},
                    Next{"*/15 * * * *", "2026-12-31T23:45:00Z", "2027-01-01T00:00:00Z"},
                    Next{"7/20 5 * * *", "2026-11-23T05:07:00Z", "2026-11-23T05:27:00Z"},
                    Next{"7/20 5 * * *", "2026-11-23T05:47:00Z", "2026-11-24T05:07:00Z"},
                    Next{"0 9-17/4 * * MON-FRI", "2026-11-27T13:00:00Z", "2026-11-27T17:00:00Z"},
                    Next{"0 9-17/4 * * mon-fri", "2026-11-27T17:00:00Z", "2026-11-30T09:00:00Z"},
                    Next{"30 4 1,15 * *", "2026-11-15T04:30:00Z", "2026-12-01T04:30:00Z"},
                    // Both days given: either will do.
                    Next{"0 0 13 * FRI", "2026-11-23T00:00:00Z", "2026-11-27T00:00:00Z"},
                    Next{"0 0 13 * FRI", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"},
                    // A step over all days is no given day.
                    Next{"0 0 */2 * MON", "2026-11-23T00:00:00Z", "2026-12-07T00:00:00Z"},
                    Next{"0 0 ? * 0", "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z"},
                    Next{"0 0 29 2 *", "2026-11-23T00:00:00Z", "2028-02-29T00:00:00Z"},
                    Next{"0 0 31 * *", "2026-11-23T00:00:00Z", "2026-12-31T00:00:00Z"},
                    Next{"0 0 30 2 *", "2026-11-23T00:00:00Z", ""},
                    Next{"0 12 * JAN,jul *", "2026-11-23T00:00:00Z", "2027-01-01T12:00:00Z"},
                    Next{"  5\t4 * * * ", "2026-11-23T00:00:00Z", "2026-11-23T04:05:00Z"},
                    Next{"TZ=UTC 5 4 * * *", "2026-11-23T00:00:00Z", "2026-11-23T04:05:00Z"},
                    Next{"CRON_TZ=Etc/UTC @daily", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"},
                    Next{"@hourly", "2026-11-23T18:44:25Z", "2026-11-23T19:00:00Z"},
                    Next{"@midnight", "2026-11-23T18:44:25Z", "2026-11-24T00:00:00Z"},
                    Next{"@weekly", "2026-11-23T18:44:25Z", "2026-11-29T00:00:00Z"},
                    Next{"@monthly", "2026-11-23T18:44:25Z", "2026-12-01T00:00:00Z"},
                    Next{"@yearly", "2026-11-23T18:44:25Z", "2027-01-01T00:00:00Z"},
                    Next{"@annually", "2026-11-23T18:44:25Z", "2027-01-01T00:00:00Z"},
                    Next{"@every 1h30m", "2026-11-23T18:44:25.500Z", "2026-11-23T20:14:25Z"},
                    Next{"@every 90s", "2026-11-23T18:44:25Z", "2026-11-23T18:45:55Z"},
                    Next{"@every 1.5h", "2026-11-23T00:00:00Z", "2026-11-23T01:30:00Z"},
                    Next{"@every 10ms", "2026-11-23T00:00:00Z", "2026-11-23T00:00:01Z"}));

class CronWrong : public testing::TestWithParam<const char*> {};

TEST_P(CronWrong, IsRefused) {
    auto cron = Cron::parse(GetParam());
    ASSERT_FALSE(cron) << GetParam();
    EXPECT_EQ(cron.error().kind, ErrorKind::bad_data);
    EXPECT_EQ(cron.error().place, "cronConfig");
}

INSTANTIATE_TEST_SUITE_P(Table, CronWrong,
                         testing::Values("", "0 0 * *", "0 0 * * * *", "60 0 * * *", "0 24 * * *",
                                         "0 0 0 * *", "0 0 * 13 *", "0 0 * * 7", "a * * * *", "5-2 * * * *",
                                         "*/0 * * * *", "*/x * * * *", "1- * * * *", "-1 * * * *",
                                         ", * * * *", "@often", "@every", "@every ", "@every 5", "@every 5x",
                                         "@every -5m", "TZ=Mars/Olympus 0 0 * * *", "99999999999 * * * *"));

}  // namespace
}  // namespace tarn::run
