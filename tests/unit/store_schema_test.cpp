#include "store/schema.h"

#include <algorithm>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "unit/store_fixture.h"

namespace tarn {
namespace {

using nlohmann::json;

std::string error_of(const std::string& ddl) {
    Schema schema;
    auto parsed = schema.parse(ddl, "t.sql");
    return parsed ? "" : parsed.error().text();
}

TEST(Schema, ReadsTablesColumnsKeysIndexesAndWords) {
    Schema schema = parsed(R"(
        -- a comment, with (brackets)
        create table issues (
            id varchar(255) not null,
            "table" text,
            index bigint,
            token text secret,
            primary key (id),
            index ("table", index),
            unique index (index)
        ) origin shared;
        create table counters ( n ubigint not null auto, primary key (n) ) times control
        create table _devlake_x ( a date )
    )");
    const Table* issues = schema.table("issues");
    ASSERT_NE(issues, nullptr);
    EXPECT_EQ(issues->place, "test.sql:3");
    EXPECT_TRUE(issues->shared);
    EXPECT_FALSE(issues->control);
    EXPECT_TRUE(issues->has_origin());
    EXPECT_EQ(issues->primary_key, std::vector<std::string>{"id"});
    EXPECT_EQ(issues->column("id")->length, 255);
    EXPECT_TRUE(issues->column("id")->not_null);
    EXPECT_TRUE(issues->column("token")->secret);
    ASSERT_EQ(issues->indexes.size(), 3U);
    EXPECT_EQ(issues->indexes[0].columns, (std::vector<std::string>{"table", "index"}));
    EXPECT_TRUE(issues->indexes[1].unique);
    EXPECT_EQ(issues->indexes[2].columns, std::vector<std::string>{"_raw_data_params"});
    EXPECT_TRUE(schema.table("counters")->control);
    EXPECT_TRUE(schema.table("counters")->column("n")->auto_increment);
    EXPECT_TRUE(schema.table("counters")->has_times());
    EXPECT_FALSE(schema.table("counters")->has_origin());
    EXPECT_TRUE(schema.table("_devlake_x")->control);
}

TEST(Schema, ErrorsNameTheLineAndWhatIsLegal) {
    EXPECT_EQ(error_of("create table a (\n  id int\n);"),
              "t.sql:2: a type (varchar(n) text bigint ubigint integer smallint double float boolean "
              "datetime date json blob payload) "
              "expected, \"int\" found");
    EXPECT_EQ(error_of("create table a (\n  id text null\n);"),
              "t.sql:2: \",\", \")\", \"not null\", \"auto\" or \"secret\" expected, \"null\" found");
    EXPECT_EQ(error_of("create table a (\n\n id text) like b;"),
              "t.sql:3: \";\", \"shared\", \"control\", \"unsaved\", \"origin\" or \"times\" expected, "
              "\"like\" found");
    EXPECT_EQ(error_of("create table a (id varchar);"),
              "t.sql:1: a length as in varchar(255) expected, \")\" found");
    EXPECT_EQ(error_of("create table a (id varchar(0));"),
              "t.sql:1: a length of 1 or more expected, \"0\" found");
    EXPECT_EQ(error_of("drop table a;"), "t.sql:1: \"create\" expected, \"drop\" found");
    EXPECT_EQ(
        error_of("create table a (id text"),
        "t.sql:1: \",\", \")\", \"not null\", \"auto\" or \"secret\" expected, the end of the file found");
    EXPECT_EQ(error_of("create table a (id text,\nid text);"), "t.sql:2: column \"id\" is declared twice");
    EXPECT_EQ(error_of("create table a (id text, primary key (b));"),
              "t.sql:1: the primary key of \"a\" names the unknown column \"b\"");
    EXPECT_EQ(error_of("create table a (id text, index (id, id));"),
              "t.sql:1: an index of \"a\" names \"id\" twice");
    EXPECT_EQ(error_of("create table a (id text auto);"),
              "t.sql:1: \"auto\" column \"id\" of \"a\" must be the whole primary key");
    EXPECT_EQ(error_of("create table a (id text) origin times;"), "t.sql:1: \"updated_at\" is there already");
    EXPECT_EQ(error_of("create table a (id text);\ncreate table a (id text);"),
              "t.sql:2: table \"a\" is declared twice, first at t.sql:1");
}

TEST(Schema, DdlOfBothStores) {
    Schema schema = parsed(
        "create table a (id bigint not null auto, d datetime, b boolean not null, s text secret, p payload, "
        "primary key (id), unique index (d)) control;");
    const Table& table = *schema.table("a");
    EXPECT_EQ(
        duck_ddl(table),
        "create table if not exists \"a\" (\"id\" BIGINT not null, \"d\" TIMESTAMP, \"b\" BOOLEAN not null, "
        "\"p\" VARCHAR using compression zstd)");
    auto statements = sqlite_ddl(table);
    ASSERT_EQ(statements.size(), 2U);
    EXPECT_EQ(statements[0],
              "create table if not exists \"a\" (\"id\" INTEGER primary key autoincrement, \"d\" TEXT, \"b\" "
              "INTEGER not null, \"s\" TEXT, "
              "\"p\" TEXT)");
    EXPECT_EQ(statements[1], "create unique index if not exists \"idx_a_d\" on \"a\" (\"d\")");
}

// ---- the declared tables against the reference's

std::string shared_folder() {
    const char* set = std::getenv("TARN_SHARED");
    return set != nullptr ? set : repository_file("../shared");
}

// Types that hold the same values have the same name here; lengths count.
std::string family(std::string type) {
    if (type.find("json") != std::string::npos || type.starts_with("longblob") ||
        type.starts_with("varbinary"))
        return "text";
    if (type == "longtext" || type == "text") return "text";
    if (type == "timestamp" || type == "datetime(3)") return "datetime";
    if (type == "bigint(20) unsigned") return "ubigint";
    if (type == "bigint(20)") return "bigint";
    if (type == "int(11)") return "integer";
    if (type == "tinyint(1)") return "boolean";
    return type;
}

std::string family(const Column& column) {
    switch (column.type) {
        case ColumnType::varchar: return "varchar(" + std::to_string(column.length) + ")";
        case ColumnType::text:
        case ColumnType::json:
        case ColumnType::blob:
        case ColumnType::payload: return "text";
        case ColumnType::ubigint: return "ubigint";
        case ColumnType::datetime: return "datetime";
        default: return lower(duck_type(column));
    }
}

// A column of the reference: the types its models and its migrations give it, and whether either lets it be null.
struct Reference {
    std::vector<std::string> types;
    bool nullable = false;
};

Reference reference_of(const json& table, const json& column) {
    Reference out{{family(column["type"].get<std::string>())}, column["nullable"].get<bool>()};
    auto differs = table.value("migrated_schema_differs", json::object());
    auto name = column["name"].get<std::string>();
    if (!differs.contains(name)) return out;
    for (const auto& part : split(differs[name].get<std::string>(), ',')) {
        if (part.starts_with("type ")) out.types.push_back(family(part.substr(5)));
        if (part == "nullable") out.nullable = true;
    }
    return out;
}

void compare_columns(const Table& table, const json& reference) {
    EXPECT_EQ(table.columns.size(), reference["columns"].size()) << table.name;
    for (const auto& wanted : reference["columns"]) {
        auto name = wanted["name"].get<std::string>();
        const Column* column = table.column(name);
        ASSERT_NE(column, nullptr) << table.name << "." << name;
        auto legal = reference_of(reference, wanted);
        EXPECT_TRUE(std::ranges::find(legal.types, family(*column)) != legal.types.end())
            << table.name << "." << name << " is " << family(*column) << ", not "
            << join(legal.types, " or ");
        EXPECT_EQ(!column->not_null, legal.nullable) << table.name << "." << name;
        EXPECT_EQ(column->auto_increment, wanted.value("auto_increment", false)) << table.name << "." << name;
    }
}

void compare_keys(const Table& table, const json& reference) {
    auto key = reference.contains("migrated_primary_key") ? reference["migrated_primary_key"]
                                                          : reference["primary_key"];
    EXPECT_EQ(table.primary_key, key.get<std::vector<std::string>>()) << table.name;
    const json indexes = reference.value("indexes", json::object());
    for (const auto& [index_name, wanted] : indexes.items()) {
        auto columns = wanted["columns"].get<std::vector<std::string>>();
        auto is_text = [&](const std::string& name) { return family(*table.column(name)) == "text"; };
        if (std::ranges::any_of(columns, is_text)) continue;  // schema/domain.sql says why
        auto same = [&](const Table::Index& index) {
            return index.columns == columns && index.unique == wanted["unique"].get<bool>();
        };
        EXPECT_TRUE(std::ranges::any_of(table.indexes, same)) << table.name << " lacks " << index_name;
    }
}

TEST(Schema, FrameworkAndDomainTablesAreTheReferences) {
    std::string text;
    if (!read_file(shared_folder() + "/conformance/tables.json", text)) {
        GTEST_SKIP() << "no conformance/tables.json in " << shared_folder()
                     << " (TARN_SHARED names another folder)";
    }
    Schema schema;
    for (const char* file : {"schema/framework.sql", "schema/domain.sql", "schema/tarn.sql"}) {
        ASSERT_TRUE(good(schema.parse_file(repository_file(file))));
    }
    int compared = 0;
    const json tables = json::parse(text);
    for (const auto& [name, reference] : tables.items()) {
        auto owners = reference["owner"].get<std::vector<std::string>>();
        bool ours = std::ranges::any_of(owners, [](const std::string& owner) {
            return owner == "framework" || owner == "domain" || owner == "issue_trace";
        });
        if (!ours || name == "_raw_*") continue;
        const Table* table = schema.table(name);
        ASSERT_NE(table, nullptr) << name;
        compare_columns(*table, reference);
        compare_keys(*table, reference);
        ++compared;
    }
    EXPECT_GT(compared, 80);
}

}  // namespace
}  // namespace tarn
