#include <gtest/gtest.h>

#include "upgrade/database.h"
#include "upgrade/releases.h"
#include "upgrade/steps.h"

namespace tarn::upgrade {
namespace {

Column column(ColumnType type, int length = 0) {
    Column out;
    out.name = "c";
    out.type = type;
    out.length = length;
    return out;
}

TEST(Upgrade, TheReleaseIsTheNewestWhoseScriptHasRun) {
    EXPECT_EQ(release_of({}), "unknown");
    EXPECT_EQ(release_of({20220406212344}), "v0.10.0");
    EXPECT_EQ(release_of({20220406212344, 20230426150702, 20230301000082}), "v0.17.0");
    EXPECT_EQ(release_of({20220406212344, 20260426000001}), "after v1.0.3");
}

TEST(Upgrade, AColumnIsRetypedOnlyWhereItHoldsLess) {
    EXPECT_TRUE(holds({"c", "varchar", 255, false}, column(ColumnType::varchar, 255)));
    EXPECT_TRUE(holds({"c", "varchar", 500, false}, column(ColumnType::varchar, 255)));
    EXPECT_TRUE(holds({"c", "longtext", 0, false}, column(ColumnType::varchar, 255)));
    EXPECT_FALSE(holds({"c", "varchar", 191, false}, column(ColumnType::varchar, 255)));
    EXPECT_FALSE(holds({"c", "bigint", 0, false}, column(ColumnType::varchar, 255)));
    EXPECT_FALSE(holds({"c", "varchar", 255, false}, column(ColumnType::text)));
    EXPECT_FALSE(holds({"c", "longblob", 0, false}, column(ColumnType::json)));
    EXPECT_FALSE(holds({"c", "bigint", 0, false}, column(ColumnType::real8)));
    EXPECT_TRUE(holds({"c", "numeric", 0, false}, column(ColumnType::real8)));
    EXPECT_TRUE(holds({"c", "tinyint", 0, false}, column(ColumnType::boolean)));
    EXPECT_FALSE(holds({"c", "int", 0, false}, column(ColumnType::bigint)));
}

TEST(Upgrade, NamesOfTablesSetAsideFitBothServers) {
    EXPECT_EQ(set_aside_name("issues"), "_tarn_old_issues");
    auto first = set_aside_name("_tool_something_with_a_name_that_is_much_too_long_for_a_server_a");
    auto second = set_aside_name("_tool_something_with_a_name_that_is_much_too_long_for_a_server_b");
    EXPECT_EQ(first.size(), 63U);
    EXPECT_NE(first, second);
}

TEST(Upgrade, PlainTextsAreToldFromThoseOfAnotherKey) {
    auto mine = secrets::Cipher::make("mine"), other = secrets::Cipher::make("other");
    ASSERT_TRUE(mine && other);
    EXPECT_EQ(opened(*mine, mine->encrypt("hello").value()), "hello");
    EXPECT_EQ(opened(*mine, other->encrypt("hello").value()), std::nullopt);
    // DevLake's older form, of the secret "devlake-secret".
    EXPECT_EQ(opened(*mine, "CyLsTFhUOtCZABLkeoe/Ww=="), std::nullopt);
    EXPECT_EQ(opened(secrets::Cipher::make("devlake-secret").value(), "CyLsTFhUOtCZABLkeoe/Ww=="), "hello");
    for (const auto* plain : {"", "{}", "ghp_token,ghp_other", "a password"})
        EXPECT_EQ(opened(*mine, plain), plain);
}

}  // namespace
}  // namespace tarn::upgrade
