#include "store/server/control.h"
#include "store/server/ddl.h"
#include "store/server/payload.h"
#include "store/server/statements.h"
#include "unit/store_fixture.h"

namespace tarn::server {
namespace {

TEST(ServerStatements, AreToldApart) {
    EXPECT_EQ(statements_of("a; b ';' \"x;y\" -- c;\n; ;d"),
              (std::vector<std::string>{"a", "b ';' \"x;y\" -- c;", "d"}));
    auto change = change_of("\n delete from main.\"a table\" t where x");
    EXPECT_EQ(change.verb, Verb::erase);
    EXPECT_EQ(change.table, "a table");
    EXPECT_EQ(change_of("insert into temp.u select 1").table, "");
    EXPECT_EQ(change_of("INSERT INTO t(a) values (1)").table, "t");
    EXPECT_EQ(change_of("update t t set a = 1").verb, Verb::update);
    EXPECT_EQ(change_of("create or replace temp table t as select 1").verb, Verb::other);
    EXPECT_EQ(
        columns_set(
            "update t x set a = (select b, c from d where e), \"f g\" = coalesce(h, 1) from o where i = 1"),
        (std::vector<std::string>{"a", "f g"}));
}

TEST(ServerPayload, IsPackedAndOldOnesAreRead) {
    std::string large(5000, 'x'), small = "{}", odd("\0zstd\1 but no frame", 19);
    EXPECT_LT(packed(large).size(), 100U);
    EXPECT_EQ(*unpacked(packed(large)), large);
    EXPECT_EQ(*unpacked(packed(small)), small);
    EXPECT_EQ(*unpacked(packed(odd)), odd);
    EXPECT_EQ(*unpacked(large), large);
    auto damaged = packed(large);
    damaged.resize(damaged.size() - 3);
    EXPECT_EQ(unpacked(damaged).error().kind, ErrorKind::bad_data);
    EXPECT_EQ(unpacked(odd).error().kind, ErrorKind::bad_data);
}

TEST(ServerControlSql, UpsertsAsMySqlWritesThem) {
    EXPECT_EQ(
        mysql_upsert(
            "insert into t (a, b) values (?, ?) on conflict (a) do update set b = excluded.b, \"c\" = "
            "excluded.\"c\""),
        "insert into t (a, b) values (?, ?) on duplicate key update b = values(b), \"c\" = values(\"c\")");
    EXPECT_EQ(mysql_upsert("insert into t (\"a\", b) values (?, ?) on conflict do nothing"),
              "insert into t (\"a\", b) values (?, ?) on duplicate key update \"a\" = \"a\"");
    EXPECT_EQ(mysql_upsert("select 1"), "select 1");
}

Schema one_of_each() {
    return parsed(
        "create table t (id ubigint not null auto, a varchar(20) not null, b text, c bigint, d integer, e "
        "smallint, f "
        "double, g float, h boolean, i datetime, j date, k json, l blob, m payload, primary key (id), unique "
        "index "
        "(a), index (c, d)) origin;"
        "create table loose (a text, stamp datetime not null, index (a));");
}

TEST(ServerDdl, TypesOfMySql) {
    auto schema = one_of_each();
    auto ddl = table_ddl(*schema.table("t"), Engine::mysql);
    ASSERT_EQ(ddl.size(), 1U);
    EXPECT_EQ(
        ddl[0],
        "create table if not exists \"t\" (\"id\" bigint unsigned not null auto_increment, \"a\" varchar(20) "
        "not null, "
        "\"b\" longtext, \"c\" bigint, \"d\" int, \"e\" smallint, \"f\" double, \"g\" float, \"h\" "
        "tinyint(1), \"i\" "
        "datetime(3), \"j\" date, \"k\" json, \"l\" longblob, \"m\" longblob, \"created_at\" datetime(3), "
        "\"updated_at\" datetime(3), \"_raw_data_params\" varchar(255), \"_raw_data_table\" varchar(255), "
        "\"_raw_data_id\" bigint unsigned, \"_raw_data_remark\" longtext, primary key (\"id\"), unique key "
        "\"idx_t_a\" (\"a\"), key \"idx_t_c_d\" (\"c\", \"d\"), key \"idx_t_raw_data_params\" "
        "(\"_raw_data_params\")) "
        "engine = innodb character set utf8mb4 collate utf8mb4_bin");
    EXPECT_EQ(
        table_ddl(*schema.table("loose"), Engine::mysql)[0],
        "create table if not exists \"loose\" (\"a\" longtext, \"stamp\" datetime(3) not null, \"_tarn_row\" "
        "varchar(32), key \"idx_loose_a\" (\"a\"(191)), key \"idx_loose_tarn_row\" (\"_tarn_row\")) engine = "
        "innodb "
        "character set utf8mb4 collate utf8mb4_bin");
}

TEST(ServerDdl, TypesOfPostgres) {
    auto schema = one_of_each();
    auto ddl = table_ddl(*schema.table("t"), Engine::postgres);
    ASSERT_EQ(ddl.size(), 4U);
    EXPECT_EQ(
        ddl[0],
        "create table if not exists \"t\" (\"id\" bigserial not null, \"a\" varchar(20) not null, \"b\" "
        "text, \"c\" "
        "bigint, \"d\" integer, \"e\" smallint, \"f\" numeric, \"g\" real, \"h\" boolean, \"i\" timestamptz, "
        "\"j\" "
        "date, \"k\" json, \"l\" bytea, \"m\" bytea, \"created_at\" timestamptz, \"updated_at\" timestamptz, "
        "\"_raw_data_params\" varchar(255), \"_raw_data_table\" varchar(255), \"_raw_data_id\" bigint, "
        "\"_raw_data_remark\" text, primary key (\"id\"))");
    EXPECT_EQ(ddl[1], "create unique index if not exists \"idx_t_a\" on \"t\" (\"a\")");
}

TEST(ServerDdl, LongIndexNamesAreCut) {
    Table table;
    table.name = std::string(60, 't');
    auto name = index_name(table, {{"_raw_data_params"}, false});
    EXPECT_EQ(name.size(), 63U);
    EXPECT_NE(name, index_name(table, {{"_raw_data_table"}, false}));
}

}  // namespace
}  // namespace tarn::server
