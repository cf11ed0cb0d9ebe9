#include <gtest/gtest.h>

#include "upgrade/checks.h"
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

// As the servers say it in version().
TEST(Upgrade, ServersThatAreTooOldAreTold) {
    using server::Engine;
    for (const auto* good :
         {"8.0.36", "8.4.3", "9.1.0", "8.0.36-0ubuntu0.22.04.1", "8.0.mysql_aurora.3.05.2", "10.5.27-MariaDB",
          "10.11.6-MariaDB-0+deb12u1", "11.4.2-MariaDB-log", "5.5.5-10.11.6-MariaDB"})
        EXPECT_FALSE(is_too_old(Engine::mysql, good)) << good;
    for (const auto* old :
         {"5.7.44-log", "5.6.51", "10.4.34-MariaDB", "5.5.5-10.3.39-MariaDB-0+deb10u2", "5.5.68-MariaDB"})
        EXPECT_TRUE(is_too_old(Engine::mysql, old)) << old;
    EXPECT_FALSE(
        is_too_old(Engine::postgres, "PostgreSQL 15.8 (Debian 15.8-0+deb12u1) on x86_64-pc-linux-gnu"));
    EXPECT_FALSE(is_too_old(Engine::postgres, "PostgreSQL 17beta1 on x86_64"));
    EXPECT_TRUE(is_too_old(Engine::postgres, "PostgreSQL 12.20 on x86_64-pc-linux-gnu"));
}

// MySQL 8 has a type for JSON and one for booleans' integers, MariaDB keeps JSON as a checked text.
TEST(Upgrade, ColumnsOfMySqlAndOfMariaDbAreTakenAsTheyAre) {
    EXPECT_TRUE(holds({"c", "json", 0, false}, column(ColumnType::json)));
    FoundColumn checked{"c", "longtext", 0, false};
    checked.is_checked = true;
    EXPECT_TRUE(holds(checked, column(ColumnType::json)));
    EXPECT_FALSE(holds(checked, column(ColumnType::text)));
    EXPECT_FALSE(holds({"c", "json", 0, false}, column(ColumnType::text)));
    EXPECT_TRUE(holds({"c", "json", 0, false}, column(ColumnType::varchar, 255)));
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
