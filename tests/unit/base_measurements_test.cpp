#include "base/measurements.h"

#include <gtest/gtest.h>

namespace tarn {
namespace {

TEST(Measurements, AsPrometheusReadsThem) {
    MeasurementText out;
    out.one("a_total", "counter", "How many.", std::int64_t{7});
    out.begin("b_bytes", "gauge", "How much.");
    out.value({{"one", "a\"b\\c\nd"}, {"two", ""}}, 0.25);
    EXPECT_EQ(
        out.text(),
        "# HELP a_total How many.\n# TYPE a_total counter\na_total 7\n"
        "# HELP b_bytes How much.\n# TYPE b_bytes gauge\nb_bytes{one=\"a\\\"b\\\\c\\nd\",two=\"\"} 0.25\n");
}

TEST(Measurements, DurationsAddUp) {
    Durations durations({1, 5});
    for (double seconds : {0.5, 1.0, 1.5, 60.0}) durations.add(seconds);
    MeasurementText out;
    out.begin("d_seconds", "histogram", "How long.");
    out.durations({{"of", "x"}}, durations);
    EXPECT_EQ(out.text(),
              "# HELP d_seconds How long.\n# TYPE d_seconds histogram\n"
              "d_seconds_bucket{of=\"x\",le=\"1\"} 2\nd_seconds_bucket{of=\"x\",le=\"5\"} 3\n"
              "d_seconds_bucket{of=\"x\",le=\"+Inf\"} 4\nd_seconds_sum{of=\"x\"} "
              "63\nd_seconds_count{of=\"x\"} 4\n");
}

}  // namespace
}  // namespace tarn
