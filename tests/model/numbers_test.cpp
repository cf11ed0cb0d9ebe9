// Levels of the DORA keys at the limits of both reports, and the reading of definitions. Limits: the two reports' tables of levels.
#include "run/numbers.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/control.h"
#include "store/data_file.h"

namespace tarn::run {
namespace {

std::unique_ptr<Platform> platform() {
    auto share = share_folder();
    EXPECT_TRUE(share) << share.error().text();
    return Platform::load(*share, "", {"dora", "linker", "refdiff"}).value();
}

std::string level(const NumberDefinition& number, const std::string& year, const std::string& row) {
    auto database = duck::Database::open(":memory:", {"", 1, ""}).value();
    auto connection = database->connect().value();
    auto value = connection->value(fmt::format("select ({}) from (select {})", number.levels.at(year), row));
    return value ? value->value_or("none") : value.error().text();
}

TEST(Numbers, LevelsOfSpansAndSharesAtTheirLimits) {
    struct Limit {
        const char *number, *year;
        std::vector<std::pair<double, const char*>> at;
    };
    constexpr double hour = 60, day = 24 * hour;
    const std::vector<Limit> limits = {
        {"lead_time_for_changes",
         "2023",
         {{day - 1, "elite"},
          {day, "high"},
          {7 * day - 1, "high"},
          {7 * day, "medium"},
          {30 * day - 1, "medium"},
          {30 * day, "low"}}},
        {"lead_time_for_changes",
         "2021",
         {{hour - 1, "elite"},
          {hour, "high"},
          {7 * day - 1, "high"},
          {7 * day, "medium"},
          {180 * day - 1, "medium"},
          {180 * day, "low"}}},
        {"change_failure_rate",
         "2023",
         {{0, "elite"},
          {5, "elite"},
          {5.1, "high"},
          {10, "high"},
          {10.1, "medium"},
          {15, "medium"},
          {15.1, "low"}}},
        {"change_failure_rate",
         "2021",
         {{15, "elite"}, {15.1, "high"}, {20, "high"}, {20.1, "medium"}, {30, "medium"}, {30.1, "low"}}},
        {"failed_deployment_recovery_time",
         "2023",
         {{hour - 1, "elite"},
          {hour, "high"},
          {day - 1, "high"},
          {day, "medium"},
          {7 * day - 1, "medium"},
          {7 * day, "low"}}},
        {"time_to_restore_service",
         "2021",
         {{hour - 1, "elite"},
          {hour, "high"},
          {day - 1, "high"},
          {day, "medium"},
          {7 * day - 1, "medium"},
          {7 * day, "low"}}},
    };
    auto loaded = platform();
    auto numbers = Numbers::load(*loaded).value();
    for (const auto& limit : limits) {
        const auto* number = numbers.find(limit.number).value();
        for (const auto& [value, wanted] : limit.at)
            EXPECT_EQ(level(*number, limit.year, fmt::format("{}::double as value", value)), wanted)
                << limit.number << " " << limit.year << " " << value;
        EXPECT_EQ(level(*number, limit.year, "null::double as value"), "none") << limit.number;
    }
    EXPECT_FALSE(numbers.find("failed_deployment_recovery_time").value()->levels.contains("2021"));
    EXPECT_FALSE(numbers.find("time_to_restore_service").value()->levels.contains("2023"));
}

TEST(Numbers, LevelsOfDeploymentFrequency) {
    auto loaded = platform();
    auto numbers = Numbers::load(*loaded).value();
    const auto* number = numbers.find("deployment_frequency").value();
    struct Case {
        int week, month, half_year;
        const char *in_2023, *in_2021;
    };
    for (const auto& one : std::vector<Case>{{5, 20, 100, "elite", "elite"},
                                             {4, 16, 90, "high", "high"},
                                             {1, 4, 24, "high", "high"},
                                             {0, 1, 6, "medium", "high"},
                                             {0, 0, 1, "low", "medium"},
                                             {0, 0, 0, "low", "low"}}) {
        auto row = fmt::format("{0} as value, {0} as week, {1} as month, {2} as half_year", one.week,
                               one.month, one.half_year);
        EXPECT_EQ(level(*number, "2023", row), one.in_2023) << row;
        EXPECT_EQ(level(*number, "2021", row), one.in_2021) << row;
    }
}

// Every definition runs on an empty home: no number, and no row.
TEST(Numbers, AllDefinitionsRunOnNothing) {
    auto loaded = platform();
    auto control = open_sqlite(":memory:").value();
    auto data = DataFile::open(":memory:", {}).value();
    ASSERT_TRUE(loaded->attach(*data, *control));
    auto numbers = Numbers::load(*loaded).value();
    EXPECT_GE(numbers.newest().size(), 9U);
    auto connection = data->reader().value();
    for (const auto& number : numbers.all()) {
        auto values = measure(*connection, number, "", usual_range(1'700'000'000'000));
        ASSERT_TRUE(values) << values.error().text();
        EXPECT_TRUE(values->empty()) << number.name;
        auto rows = rows_behind(*connection, number, "", usual_range(1'700'000'000'000), 0);
        ASSERT_TRUE(rows) << rows.error().text();
        for (const auto* name :
             {"project_name", "id", "at", "value", "title", "url", "raw_table", "raw_id", "raw_params"})
            EXPECT_TRUE(std::ranges::find(rows->names, name) != rows->names.end())
                << number.name << " has no " << name;
    }
}

TEST(Numbers, RangesEndWithTheirLastDay) {
    constexpr Millis now = 1'736'942'400'000;  // 2025-01-15T12:00:00Z
    auto range = range_of("2025-01-01", "2025-01-10", now).value();
    EXPECT_EQ(format_rfc3339(range.from), "2025-01-01T00:00:00Z");
    EXPECT_EQ(format_rfc3339(range.to), "2025-01-11T00:00:00Z");
    EXPECT_EQ(format_rfc3339(range_of("", "2025-01-10T06:00:00Z", now).value().to), "2025-01-10T06:00:00Z");
    EXPECT_EQ(range_of("", "", now).value().to, now);
    EXPECT_EQ(range_of("2025-01-11", "2025-01-10", now).error().place, "from");
    EXPECT_EQ(range_of("never", "", now).error().place, "from");
}

TEST(Numbers, AreWrittenForPeople) {
    EXPECT_EQ(number_text(nullptr, "minutes"), "no data");
    EXPECT_EQ(number_text(59, "minutes"), "59 min");
    EXPECT_EQ(number_text(61, "minutes"), "1 h 1 min");
    EXPECT_EQ(number_text(1500, "minutes"), "1 d 1 h");
    EXPECT_EQ(number_text(50.0, "percent"), "50 %");
    EXPECT_EQ(number_text(2, "days a week"), "2 days a week");
    EXPECT_EQ(level_text({{"2021", "high"}, {"2023", "elite"}}), "elite (2023), high (2021)");
    EXPECT_EQ(level_text({{"2021", nullptr}}), "");
}

}  // namespace
}  // namespace tarn::run
