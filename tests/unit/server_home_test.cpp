// The data path of a server home: what a job of the data file changes is in the server first, and an empty disk loses nothing.
#include "store/server/home.h"

#include "store/presence.h"
#include "store/server/control.h"
#include "store/server/hold.h"
#include "store/server/payload.h"
#include "unit/server_fixture.h"

namespace tarn::server {
namespace {

// The file of one home and its server; reopened as often as a test likes.
class ServerHomes : public testing::TestWithParam<Engine> {
  protected:
    ServerHomes() : schema_(tarn_schema()) {
        EXPECT_TRUE(
            good(schema_.parse("create table notes (id varchar(50) not null, n bigint, x double, yes "
                               "boolean, at datetime, more text, "
                               "primary key (id)) origin; create table loose (a varchar(20), b text); create "
                               "table plain (id bigint "
                               "not null, primary key (id));",
                               "test.sql")));
        schema_.add(Schema::raw_table("_raw_things"));
    }
    void SetUp() override {
        url_ = fresh_database(GetParam());
        if (url_.empty()) GTEST_SKIP() << "the server's packages are not installed";
        reopen();
    }
    Result<> open() {
        data_.reset();
        home_.reset();
        presence_.reset();
        control_.reset();
        auto url = *parse_db_url(url_);
        TARN_ASSIGN(home_, ServerHome::open(url));
        TARN_ASSIGN(control_, open_control(url));
        TARN_TRY(control_->ensure(schema_));
        data_ = open_data(folder_.file(file_));
        TARN_TRY(data_->ensure(schema_));
        TARN_ASSIGN(presence_, Presence::enter(*control_, {.lease = 60'000, .data_file = number_}));
        return home_->attach(
            *data_, schema_, [this] { return more_; }, [this] { return presence_->id(); });
    }
    void reopen(const std::string& file = "cache.duckdb") {
        file_ = file;
        ASSERT_TRUE(good(open()));
    }
    void write(const std::string& sql) { ASSERT_TRUE(good(run_in(*data_, sql))); }
    std::string in_file(const std::string& sql) { return rows_of(*data_, sql); }
    std::string in_server(const std::string& sql) {
        auto rows = connected(url_)->query(sql);
        if (!rows) return rows.error().text();
        std::vector<std::string> lines;
        for (std::size_t r = 0; r < rows->rows.size(); ++r) {
            std::vector<std::string> values;
            for (const auto& name : rows->names)
                values.push_back(rows->is_null(r, name) ? "-" : rows->text(r, name));
            lines.push_back(join(values, "|"));
        }
        return join(lines, "\n");
    }
    std::int64_t commits() {
        return std::stoll(in_server("select stamp from _tarn_parts where table_name = '' and params = ''"));
    }

    static constexpr const char* insert =
        "insert into notes (id, n, x, yes, \"at\", more, created_at, _raw_data_params) values ('a', 1, 0.1, "
        "true, "
        "timestamp '2026-11-23 13:55:38.12', 'tab\tback\\slash', timestamp '2026-01-01', 'one'), ('b', "
        "-9223372036854775807, "
        "1e300, false, null, null, null, 'two'), ('ü😀', null, null, null, null, '', null, null)";
    static constexpr const char* all = "select * from notes order by id";

    TestFolder folder_;
    Schema schema_;
    std::string url_, file_;
    std::int64_t number_ = 1;
    std::map<std::string, std::vector<Column>> more_;
    std::unique_ptr<ControlStore> control_;
    std::unique_ptr<Presence> presence_;
    std::unique_ptr<ServerHome> home_;
    std::unique_ptr<DataFile> data_;
};

INSTANTIATE_TEST_SUITE_P(Stores, ServerHomes, testing::Values(Engine::mysql, Engine::postgres), engine_name);

TEST_P(ServerHomes, EmptyDiskLosesNothing) {
    write(insert);
    write("insert into loose values ('a', 'b'), ('a', 'b'), (null, ''), ('', null)");
    auto notes = in_file(all), loose = in_file("select * from loose order by all");
    EXPECT_EQ(in_server("select id, n, yes, \"at\", more from notes where id = 'a'"),
              "a|1|1|2026-11-23 13:55:38.120|tab\tback\\slash");
    reopen("another.duckdb");
    EXPECT_EQ(in_file(all), notes);
    EXPECT_EQ(in_file("select * from loose order by all"), loose);
    EXPECT_NE(notes.find("1e+300"), std::string::npos);
}

TEST_P(ServerHomes, EveryChangeReachesTheServer) {
    write(insert);
    write("update notes set n = 5 where id = 'b'; delete from notes where id = 'ü😀'");
    EXPECT_EQ(in_server("select id, n from notes order by id"), "a|1\nb|5");
    // Written anew, updated after it was added, added and deleted: all within one job.
    write(
        "delete from notes where id = 'a'; insert into notes (id, n) values ('a', 7), ('c', 8), ('d', 9); "
        "update notes t set n = "
        "t.n + 1 from (select 1) o where id in ('c', 'b'); delete from main.\"notes\" where id = 'd'");
    EXPECT_EQ(in_server("select id, n from notes order by id"), "a|7\nb|6\nc|9");
    write("insert into loose values ('x', 'y'), ('x', 'z'); delete from loose where b = 'y'");
    EXPECT_EQ(in_server("select a, b from loose"), "x|z");
    auto file = in_file(all);
    reopen("another.duckdb");
    EXPECT_EQ(in_file(all), file);
}

TEST_P(ServerHomes, RawPayloadsArePackedAndPlainOnesRead) {
    std::string payload = "{\"text\": \"" + std::string(2000, 'x') + "\"}";
    ASSERT_TRUE(good(data_->write([&](duck::Connection& connection) -> Result<> {
        TARN_ASSIGN(auto rows, duck::Appender::open(connection, "_raw_things", {"id", "params", "data"}));
        rows->number(1);
        rows->text("one");
        rows->text(payload);
        TARN_TRY(rows->end_row());
        return rows->close();
    })));
    auto server = connected(url_);
    auto stored = server->query("select data from _raw_things")->text(0, "data");
    EXPECT_LT(stored.size(), 100U);
    EXPECT_EQ(*unpacked(stored), payload);
    ASSERT_TRUE(good(
        server->run("insert into _raw_things (id, params, data) values (2, 'old', ?)", {"{\"plain\": 1}"})));
    reopen("another.duckdb");
    EXPECT_EQ(in_file("select id, data from _raw_things order by id"), "1|" + payload + "\n2|{\"plain\": 1}");
}

TEST_P(ServerHomes, NothingChangedSendsNothing) {
    write(insert);
    auto before = commits();
    write("update notes set n = 1 where id = 'nobody'; delete from loose");
    ASSERT_FALSE(run_in(*data_, "insert into notes (id) values ('z'); select error('no')"));
    EXPECT_EQ(commits(), before);
    EXPECT_EQ(in_server("select id from notes where id = 'z'"), "");
}

// The server has committed and the file has not: what a kill between the two leaves.
TEST_P(ServerHomes, StalePartsAreLoadedAlone) {
    write(insert);
    write("insert into plain values (1)");
    data_.reset();
    auto server = connected(url_);
    ASSERT_TRUE(good(server->run("update notes set n = 100 where id in ('a', 'b')")));
    ASSERT_TRUE(
        good(server->run("update _tarn_parts set stamp = 77 where table_name = 'notes' and params = 'one'")));
    ASSERT_TRUE(good(server->run("update _tarn_parts set stamp = 77 where table_name = '' and params = ''")));
    reopen();
    // 'b' is of a part whose stamp says that it is current, and so is not read again.
    EXPECT_EQ(in_file("select id, n from notes where id in ('a', 'b') order by id"),
              "a|100\nb|-9223372036854775807");
    EXPECT_EQ(in_file("select id from plain"), "1");
    write("insert into plain values (2)");
    EXPECT_EQ(commits(), 78);
}

TEST_P(ServerHomes, ARowThatGoesToAnotherPartLeavesTheOldOneInEveryCache) {
    write(insert);
    reopen("another.duckdb");
    write("update notes set n = 2, _raw_data_params = 'two' where id = 'a'");
    EXPECT_EQ(in_server("select n, _raw_data_params from notes where id = 'a'"), "2|two");
    reopen("cache.duckdb");
    EXPECT_EQ(in_file("select id, n, _raw_data_params from notes where id in ('a', 'b') order by id"),
              "a|2|two\nb|-9223372036854775807|two");
}

TEST_P(ServerHomes, LostConnectionIsMadeAnewWithoutLoss) {
    auto server = connected(url_);
    bool is_mysql = GetParam() == Engine::mysql;
    auto others =
        is_mysql
            ? "select id from information_schema.processlist where db = database() and id <> connection_id()"
            : "select pid as id from pg_stat_activity where datname = current_database() and pid <> "
              "pg_backend_pid()";
    auto sessions = server->query(others);
    ASSERT_TRUE(good(sessions));
    ASSERT_GE(sessions->rows.size(), 2U);
    for (std::size_t i = 0; i < sessions->rows.size(); ++i) {
        auto id = sessions->text(i, "id");
        ASSERT_TRUE(good(server->query(is_mysql ? "kill " + id : "select pg_terminate_backend(" + id + ")")));
    }
    write(insert);
    EXPECT_EQ(in_server("select id from notes order by id"), "a\nb\nü😀");
    EXPECT_TRUE(good(control_->next_stamp()));
}

TEST_P(ServerHomes, AnUpgradeAndAProcessAtWorkExcludeEachOther) {
    auto upgrade = connected(url_);
    auto taken = take_database(*upgrade, 1);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().kind, ErrorKind::terminal);
    EXPECT_TRUE(taken.error().message.starts_with("the database is in use by a Tarn process"))
        << taken.error().message;
    data_.reset();
    home_.reset();
    presence_.reset();
    ASSERT_TRUE(good(take_database(*upgrade, 1)));
    auto worker = connected(url_);
    auto held = lock_database(*worker, 1);
    ASSERT_TRUE(good(held));
    EXPECT_FALSE(*held);
}

TEST_P(ServerHomes, WritesOfAnotherProcessAreTakenInFirst) {
    write(insert);
    auto server = connected(url_);
    ASSERT_TRUE(good(server->run("update notes set n = 7 where id = 'a'")));
    ASSERT_TRUE(
        good(server->run("update _tarn_parts set stamp = stamp + 1 where table_name = '' and params = ''")));
    ASSERT_TRUE(
        good(server->run("update _tarn_parts set stamp = 90 where table_name = 'notes' and params = 'one'")));
    write("update notes set n = n + 1 where id = 'a'");
    EXPECT_EQ(in_server("select n from notes where id = 'a'"), "8");
}

TEST_P(ServerHomes, AProcessThatIsGoneWritesNothing) {
    ASSERT_TRUE(good(connected(url_)->run("update _tarn_processes set gone = 1")));
    auto written = run_in(*data_, insert);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::transient);
    EXPECT_EQ(in_file(all), "");
    EXPECT_EQ(in_server("select id from notes"), "");
    ASSERT_TRUE(good(presence_->enter_again()));
    write(insert);
    EXPECT_EQ(in_server("select count(*) as n from notes"), "3");
}

TEST_P(ServerHomes, AProcessStoppedInTheMiddleOfItsCommitIsEnded) {
    auto stopped = connected(url_);
    ASSERT_TRUE(good(lock_database(*stopped, 1)));
    auto session = session_of(*stopped);
    ASSERT_TRUE(good(session));
    ASSERT_TRUE(
        good(stopped->run("insert into _tarn_processes (id, session, expires_at, gone) values ('it', ?, " +
                              clock_millis(GetParam()) + " - 1000, 0)",
                          {*session})));
    ASSERT_TRUE(good(stopped->begin()));
    ASSERT_TRUE(good(stopped->run("update _tarn_processes set commits = 1 where id = 'it'")));
    ASSERT_TRUE(good(presence_->mark_gone(*control_)));
    EXPECT_EQ(in_server("select commits, gone from _tarn_processes where id = 'it'"), "-|1");
    EXPECT_FALSE(stopped->commit());
    write(insert);
}

TEST_P(ServerHomes, ColumnsOfAnotherProcessComeWithTheirValues) {
    write(insert);
    auto server = connected(url_);
    auto columns_changed = [&](const std::string& change) {
        ASSERT_TRUE(good(server->run("alter table notes " + change)));
        ASSERT_TRUE(good(server->run(
            "update _tarn_parts set stamp = stamp + 1 where table_name = '' and params in ('', 'columns')")));
    };
    more_["notes"] = {{.name = "x_own", .type = ColumnType::bigint}};
    columns_changed("add column x_own bigint");
    ASSERT_TRUE(good(server->run("update notes set x_own = 5 where id = 'a'")));
    ASSERT_TRUE(
        good(server->run("update _tarn_parts set stamp = 90 where table_name = 'notes' and params = 'one'")));
    ASSERT_TRUE(good(data_->catch_up()));
    EXPECT_EQ(in_file("select id, x_own from notes where x_own is not null"), "a|5");
    write("update notes set x_own = 6 where id = 'b'");
    EXPECT_EQ(in_server("select id, x_own from notes where x_own is not null order by id"), "a|5\nb|6");
    more_.clear();
    columns_changed("drop column x_own");
    ASSERT_TRUE(good(data_->catch_up()));
    EXPECT_EQ(in_file("select count(*) from duckdb_columns() where column_name = 'x_own'"), "0");
}

TEST_P(ServerHomes, RawRowsThatChangedOrWentElsewhereAreLoadedAlone) {
    write(
        "insert into _raw_things (id, params, data, _tarn_changed) values (1, 'one', 'a', timestamp "
        "'2026-01-01'), (2, 'one', "
        "'b', timestamp '2026-01-02'), (3, 'one', 'c', timestamp '2026-01-02')");
    auto server = connected(url_);
    // The first row's change is not told by its time, so it is not looked at.
    ASSERT_TRUE(good(server->run("update _raw_things set data = 'x' where id = 1")));
    ASSERT_TRUE(
        good(server->run("update _raw_things set data = 'y', _tarn_changed = '2026-01-03' where id = 2")));
    ASSERT_TRUE(good(server->run("delete from _raw_things where id = 3")));
    ASSERT_TRUE(good(server->run(
        "insert into _tarn_gone (table_name, params, raw_id, stamp, _tarn_row) values ('_raw_things', "
        "'one', 3, '2026-01-03', 'x')")));
    auto touched = [&](std::int64_t stamp) {
        ASSERT_TRUE(good(
            server->run("update _tarn_parts set stamp = ? where table_name = '' and params = ''", {stamp})));
        ASSERT_TRUE(
            good(server->run("update _tarn_parts set stamp = ? where table_name = '_raw_things'", {stamp})));
    };
    touched(50);
    ASSERT_TRUE(good(data_->catch_up()));
    EXPECT_EQ(in_file("select id, data from _raw_things order by id"), "1|a\n2|y");
    // Rows that went without a word: all are loaded.
    ASSERT_TRUE(good(server->run("delete from _raw_things where id = 2")));
    touched(51);
    ASSERT_TRUE(good(data_->catch_up()));
    EXPECT_EQ(in_file("select id, data from _raw_things order by id"), "1|x");
}

// A table of the server that takes less than the declared one: the file must not have what the server refuses.
TEST_P(ServerHomes, WhatTheServerRefusesIsNowhere) {
    auto server = connected(url_);
    ASSERT_TRUE(
        good(server->run(GetParam() == Engine::mysql ? "alter table notes modify more varchar(3)"
                                                     : "alter table notes alter more type varchar(3)")));
    auto written = run_in(*data_, insert);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::terminal) << written.error().text();
    EXPECT_NE(written.error().message.find("table notes"), std::string::npos);
    EXPECT_EQ(in_file(all), "");
    EXPECT_EQ(in_server("select id from notes"), "");
    write("insert into plain values (1)");
    EXPECT_EQ(in_server("select id from plain"), "1");
}

TEST_P(ServerHomes, KeysAreNotUpdatedInPlace) {
    write(insert);
    auto refused = run_in(*data_, "update notes set id = 'z' where id = 'a'");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::bug);
    EXPECT_EQ(in_file("select count(*) from notes where id = 'a'"), "1");
}

}  // namespace
}  // namespace tarn::server
