#include <gtest/gtest.h>

#include "connector/connector.h"

namespace tarn::connector {
namespace {

TEST(OptionParams, LongOnesAreToldByTheirHash) {
    Connector metric;
    metric.options.emplace_back().name = "mappings";
    auto params = [&](const std::string& value) {
        return option_params(metric, {{"mappings", '"' + value + '"'}});
    };
    EXPECT_EQ(params("a"), R"({"mappings":"a"})");
    // With the 15 characters around it, 255 are the most that a column takes.
    EXPECT_EQ(params(std::string(240, 'x')).size(), 255U);
    auto one = params(std::string(241, 'x')), other = params(std::string(241, 'y'));
    EXPECT_LT(one.size(), 40U);
    EXPECT_NE(one, other);
}

}  // namespace
}  // namespace tarn::connector
