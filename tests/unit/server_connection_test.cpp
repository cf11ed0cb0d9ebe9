#include "store/server/connection.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "store/mysql/connection.h"
#include "store/postgres/connection.h"
#include "store/server/rows_text.h"
#include "unit/server_fixture.h"

namespace tarn::server {
namespace {

class ServerConnection : public testing::TestWithParam<Engine> {
  protected:
    void SetUp() override {
        url_ = fresh_database(GetParam());
        if (url_.empty()) GTEST_SKIP() << "the server's packages are not installed";
        connection_ = connected(url_);
        ASSERT_TRUE(connection_);
        bool is_mysql = GetParam() == Engine::mysql;
        std::string bytes = is_mysql ? "longblob" : "bytea";
        std::string id = is_mysql ? "bigint unsigned not null auto_increment" : "bigserial not null";
        std::string time = is_mysql ? "datetime(3)" : "timestamptz";
        std::string flag = is_mysql ? "tinyint(1)" : "boolean";
        run("create table things (id " + id + ", name varchar(20) not null, n double precision, at " + time +
            ", yes " + flag + ", data " + bytes + ", primary key (id), unique (name))");
    }
    void run(const std::string& sql) { ASSERT_TRUE(good(connection_->run(sql))); }
    Result<std::int64_t> add(const std::string& name) {
        return connection_->insert("insert into things (name) values (?)", {name});
    }
    std::int64_t count() { return connection_->query("select count(*) as n from things")->number(0, "n"); }

    std::string url_;
    std::unique_ptr<Connection> connection_;
};

TEST_P(ServerConnection, KeepsValuesOfEveryKind) {
    std::string bytes("\0\x01\xff\\x", 5);
    EXPECT_EQ(*connection_->insert("insert into things (name, n, \"at\", yes, data) values (?, ?, ?, ?, ?)",
                                   {"a'\\\"ü😀", 0.25, "2026-11-23 13:55:38.1", std::int64_t{1}, bytes}),
              1);
    auto rows = connection_->query(
        "select id, name, n, \"at\" as at, yes, data, null as nil, sum(id) as s from things where id = ? "
        "group by id, name, n, \"at\", yes, data",
        {std::int64_t{1}});
    ASSERT_TRUE(good(rows));
    EXPECT_EQ(rows->text(0, "name"), "a'\\\"ü😀");
    EXPECT_EQ(rows->text(0, "n"), "0.25");
    EXPECT_EQ(rows->text(0, "at"), "2026-11-23 13:55:38.100");
    EXPECT_EQ(rows->text(0, "yes"), "1");
    EXPECT_EQ(rows->text(0, "data"), bytes);
    EXPECT_TRUE(rows->is_null(0, "nil"));
    EXPECT_EQ(rows->rows[0][7], ControlValue(std::int64_t{1}));
    EXPECT_EQ(connection_->query("select name from things where id = 7")->names,
              std::vector<std::string>{"name"});
    EXPECT_EQ(*connection_->run("update things set name = name"), 1);
}

TEST_P(ServerConnection, ErrorsTellTheKind) {
    ASSERT_TRUE(good(add("a")));
    EXPECT_EQ(add("a").error().kind, ErrorKind::bad_data);
    EXPECT_EQ(add("longer than twenty characters").error().kind, ErrorKind::bad_data);
    EXPECT_EQ(connection_->run("select from where").error().kind, ErrorKind::bug);
    EXPECT_EQ(connection_->run("delete from things where id = ?").error().kind, ErrorKind::bug);
    auto url = *parse_db_url(url_);
    url.password = "hush";
    auto refused = connect(url);
    EXPECT_EQ(refused.error().kind, ErrorKind::terminal) << refused.error().text();
    EXPECT_EQ(refused.error().text().find("hush"), std::string::npos);
    url = *parse_db_url(url_);
    url.database = "nowhere";
    EXPECT_EQ(connect(url).error().kind, ErrorKind::terminal);
    url = *parse_db_url(url_);
    url.port = "1";
    EXPECT_EQ(connect(url).error().kind, ErrorKind::transient);
    url = *parse_db_url(url_);
    url.tls = Tls::required;
    EXPECT_EQ(connect(url).error().kind, ErrorKind::terminal) << "the test's server has no TLS";
}

TEST_P(ServerConnection, FailedStatementTakesNothingElseWithIt) {
    ASSERT_TRUE(good(connection_->begin()));
    ASSERT_TRUE(good(add("a")));
    EXPECT_EQ(add("a").error().kind, ErrorKind::bad_data);
    EXPECT_EQ(connection_->run("update nothing set a = 1").error().kind, ErrorKind::bug);
    ASSERT_TRUE(good(add("b")));
    ASSERT_TRUE(good(connection_->commit()));
    EXPECT_EQ(count(), 2);
    ASSERT_TRUE(good(connection_->begin()));
    ASSERT_TRUE(good(add("c")));
    connection_->rollback();
    EXPECT_EQ(count(), 2);
}

TEST_P(ServerConnection, LoadsRowsInBulk) {
    RowsText rows(GetParam());
    std::string hard("tab\tline\nback\\N\r", 17), bytes("\0\t\n\\\xff", 5);
    for (int i = 1; i <= 3000; ++i) {
        rows.text(std::to_string(i));
        rows.text(i == 1 ? hard : "n" + std::to_string(i));
        i == 2 ? rows.null() : rows.bytes(bytes);
        rows.end_row();
    }
    EXPECT_EQ(*connection_->load("things", {"id", "name", "data"}, rows.rows()), 3000);
    std::int64_t seen = 0;
    auto row = [&](const std::vector<Field>& fields) -> Result<> {
        ++seen;
        if (seen == 1) {
            EXPECT_EQ(*fields[1], hard.substr(0, 16));
        }
        EXPECT_EQ(fields[2].has_value(), seen != 2);
        if (fields[2]) {
            EXPECT_EQ(*fields[2], bytes);
        }
        return {};
    };
    ASSERT_TRUE(good(connection_->each("select id, name, data from things order by id", row)));
    EXPECT_EQ(seen, 3000);
    auto refuse = [](const std::vector<Field>&) -> Result<> { return fail(ErrorKind::cancelled, "enough"); };
    EXPECT_EQ(connection_->each("select id from things", refuse).error().message, "enough");
    EXPECT_EQ(count(), 3000);
}

TEST_P(ServerConnection, LoadCutsNothing) {
    RowsText rows(GetParam());
    rows.text("1");
    rows.text("longer than twenty characters");
    rows.end_row();
    ASSERT_TRUE(good(connection_->begin()));
    auto loaded = connection_->load("things", {"id", "name"}, rows.rows());
    EXPECT_EQ(loaded.error().kind, ErrorKind::bad_data) << loaded.error().text();
    connection_->rollback();
    EXPECT_EQ(count(), 0);
}

TEST_P(ServerConnection, DeadLockIsTransient) {
    ASSERT_TRUE(good(add("a")));
    ASSERT_TRUE(good(add("b")));
    auto other = connected(url_);
    auto rename = [](Connection& connection, int id) {
        return connection.run("update things set n = n + 1 where id = ?", {std::int64_t{id}});
    };
    ASSERT_TRUE(good(connection_->begin()));
    ASSERT_TRUE(good(other->begin()));
    ASSERT_TRUE(good(rename(*connection_, 1)));
    ASSERT_TRUE(good(rename(*other, 2)));
    Result<std::int64_t> first = 0;
    std::thread waits([&] {
        first = rename(*connection_, 2);
        if (!first) connection_->rollback();
    });
    auto second = rename(*other, 1);
    if (!second) other->rollback();
    waits.join();
    ASSERT_NE(first.has_value(), second.has_value());
    EXPECT_EQ((first ? second : first).error().kind, ErrorKind::transient);
}

TEST_P(ServerConnection, LostConnectionIsTransientAndMadeAnew) {
    auto other = connected(url_);
    bool is_mysql = GetParam() == Engine::mysql;
    auto id = other->query(is_mysql ? "select connection_id() as id" : "select pg_backend_pid() as id")
                  ->number(0, "id");
    auto kill =
        is_mysql ? "kill " + std::to_string(id) : "select pg_terminate_backend(" + std::to_string(id) + ")";
    ASSERT_TRUE(good(connection_->query(kill)));
    auto lost = other->query("select 1 as one");
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().kind, ErrorKind::transient) << lost.error().text();
    EXPECT_FALSE(other->alive());
    ASSERT_TRUE(good(other->reconnect()));
    EXPECT_EQ(other->query("select 1 as one")->number(0, "one"), 1);
}

// There is no MySQL 8 here: the statement it needs is run on MariaDB.
TEST(ServerStatements, JsonOfMySql8IsLoadedAsText) {
    constexpr const char* head =
        "load data local infile 'rows' replace into table \"docs\" character set binary fields terminated by "
        "'\\t' escaped by '\\\\' lines terminated by '\\n' ";
    EXPECT_EQ(mysql::load_statement("docs", {"id", "doc"}, {}), std::string(head) + "(\"id\", \"doc\")");
    auto sql = mysql::load_statement("docs", {"id", "doc", "name"}, {"doc"});
    EXPECT_EQ(sql,
              std::string(head) + "(\"id\", @tarn_1, \"name\") set \"doc\" = convert(@tarn_1 using utf8mb4)");

    auto url = fresh_database(Engine::mysql);
    if (url.empty()) GTEST_SKIP() << "the server's packages are not installed";
    auto connection = connected(url);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(
        good(connection->run("create table docs (id int primary key, doc json, name varchar(9)) "
                             "character set utf8mb4")));
    auto file = testing::TempDir() + "tarn_docs_" + std::to_string(::getpid());
    std::ofstream(file) << "1\t{\"a\":\"ü\\\\n\"}\tn\n2\t\\N\t\\N\n";
    ASSERT_TRUE(good(connection->run_once(replaced(sql, "'rows'", "'" + file + "'"))));
    std::filesystem::remove(file);
    auto rows = connection->query("select doc, name from docs order by id");
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->rows.size(), 2U);
    EXPECT_EQ(rows->text(0, "doc"), "{\"a\":\"ü\\n\"}");
    EXPECT_EQ(rows->text(0, "name"), "n");
    EXPECT_TRUE(rows->is_null(1, "doc"));
}

INSTANTIATE_TEST_SUITE_P(Stores, ServerConnection, testing::Values(Engine::mysql, Engine::postgres),
                         engine_name);

TEST(RowsText, IsTakenApartAgain) {
    RowsText rows(Engine::mysql);
    std::string bytes("\\N\t\n\r\0z", 7);
    rows.bytes(bytes);
    rows.null();
    rows.text("");
    rows.end_row();
    rows.text("\\N");
    rows.end_row();
    std::vector<std::string> seen;
    ASSERT_TRUE(good(each_row(rows.rows(), [&](const std::vector<Field>& fields) -> Result<> {
        for (const auto& field : fields) seen.push_back(field ? std::string(*field) : "NULL");
        return {};
    })));
    EXPECT_EQ(seen, (std::vector<std::string>{bytes, "NULL", "", "\\N"}));
}

// What MySQL 8 says that MariaDB does not.
TEST(MySqlErrors, KindsOfMySql8) {
    EXPECT_EQ(mysql::kind_of(3819), ErrorKind::bad_data);  // check constraint
    EXPECT_EQ(mysql::kind_of(1836), ErrorKind::terminal);  // running in read-only mode
    EXPECT_EQ(mysql::kind_of(1290), ErrorKind::terminal);  // super_read_only
    EXPECT_EQ(mysql::kind_of(1213), ErrorKind::transient);
    EXPECT_EQ(mysql::kind_of(1064), ErrorKind::bug);
}

TEST(PostgresErrors, Kinds) {
    EXPECT_EQ(postgres::kind_of("40P01"), ErrorKind::transient);
    EXPECT_EQ(postgres::kind_of("57P01"), ErrorKind::transient);
    EXPECT_EQ(postgres::kind_of("53100"), ErrorKind::terminal);
    EXPECT_EQ(postgres::kind_of("25006"), ErrorKind::terminal);
    EXPECT_EQ(postgres::kind_of("23505"), ErrorKind::bad_data);
    EXPECT_EQ(postgres::kind_of("42601"), ErrorKind::bug);
    EXPECT_EQ(postgres::numbered("a = ? and '?' <> \"?\" or b = ?"), "a = $1 and '?' <> \"?\" or b = $2");
}

}  // namespace
}  // namespace tarn::server
