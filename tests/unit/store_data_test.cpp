#include "store/data_file.h"

#include <sys/wait.h>
#include <csignal>
#include <thread>

#include "store/memory_limit.h"
#include "store/mirror.h"
#include "unit/store_fixture.h"

namespace tarn {
namespace {

TEST(DataFile, CommitsWhatSucceedsAndRollsBackTheRest) {
    TestFolder folder;
    auto data = open_data(folder.file("d.duckdb"));
    ASSERT_TRUE(good(run_in(*data, "create table t (n integer)")));
    ASSERT_TRUE(good(run_in(*data, "insert into t values (1)")));
    auto refused = data->write([](duck::Connection& connection) -> Result<> {
        TARN_TRY(connection.run("insert into t values (2)"));
        return fail(ErrorKind::bad_data, "no");
    });
    EXPECT_EQ(refused.error().message, "no");
    EXPECT_EQ(run_in(*data, "insert into t values (3); select * from nowhere").error().kind, ErrorKind::bug);
    auto thrown = data->write([](duck::Connection&) -> Result<> { throw std::runtime_error("oh"); });
    EXPECT_EQ(thrown.error().kind, ErrorKind::bug);
    EXPECT_EQ(rows_of(*data, "select n from t"), "1");
}

TEST(DataFile, KeepsRowsWhenOpenedAgain) {
    TestFolder folder;
    auto path = folder.file("d.duckdb");
    Schema schema = tarn_schema();
    schema.add(Schema::raw_table("_raw_x"));
    {
        auto data = open_data(path);
        ASSERT_TRUE(good(data->ensure(schema)));
        ASSERT_TRUE(good(run_in(
            *data,
            "insert into _raw_x (id, data) select i, repeat('text ', 1000) || i from range(100) t(i)")));
    }
    auto data = open_data(path);
    ASSERT_TRUE(good(data->ensure(schema)));
    EXPECT_EQ(rows_of(*data, "select count(*), max(length(data)) from _raw_x"), "100|5002");
    EXPECT_EQ(rows_of(*data,
                      "select distinct compression from pragma_storage_info('_raw_x') where column_name = "
                      "'data' and segment_type = 'VARCHAR'"),
              "ZSTD");
}

TEST(DataFile, ReadersSeeCommittedRowsOnly) {
    TestFolder folder;
    auto data = open_data(folder.file("d.duckdb"));
    ASSERT_TRUE(good(run_in(*data, "create table t (n integer)")));
    std::string during;
    ASSERT_TRUE(good(data->write([&](duck::Connection& connection) -> Result<> {
        auto added = connection.run("insert into t values (1)");
        during = rows_of(*data, "select count(*) from t");
        return added ? Result<>{} : fail(added.error());
    })));
    EXPECT_EQ(during, "0");
    EXPECT_EQ(rows_of(*data, "select count(*) from t"), "1");
}

TEST(DataFile, JobsHaveOneCoreUnlessTheyAskAndReadersAllOfThem) {
    if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "needs two cores";
    TestFolder folder;
    auto data = open_data(folder.file("d.duckdb"));
    auto cores = [](duck::Connection& connection) {
        return connection.number("select current_setting('threads')").value_or(0);
    };
    auto reader = data->reader();
    const auto all = cores(**reader);
    EXPECT_GT(all, 1);
    ASSERT_TRUE(good(data->write([&](duck::Connection& connection) -> Result<> {
        EXPECT_EQ(cores(connection), 1);
        TARN_TRY(connection.use_cores(true));
        EXPECT_EQ(cores(connection), all);
        return {};
    })));
    ASSERT_TRUE(good(data->write([&](duck::Connection& connection) -> Result<> {
        EXPECT_EQ(cores(connection), 1);
        return {};
    })));
    for (int i = 0; i < 100 && cores(**reader) == 1; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(cores(**reader), all);
}

TEST(DataFile, ViewsGiveTextsOfARunningSelect) {
    TestFolder folder;
    auto data = open_data(folder.file("d.duckdb"));
    auto reader = data->reader();
    std::size_t rows = 0, nulls = 0, bytes = 0;
    auto count = [&](const std::vector<duck::View>& row) {
        ++rows;
        if (!row[1]) ++nulls;
        bytes += row[0]->size();
    };
    ASSERT_TRUE(
        good((*reader)->views("select 'a' || repeat('b', i::bigint), case when i % 3 = 0 then null else 'x' "
                              "end from range(3000) t(i)",
                              count)));
    EXPECT_EQ(rows, 3000);
    EXPECT_EQ(nulls, 1000);
    EXPECT_EQ(bytes, 3000 + 3000 * 2999 / 2);
    auto refused = (*reader)->views("select 'a', 1 as number", count);
    EXPECT_EQ(refused.error().kind, ErrorKind::bug);
    EXPECT_TRUE(refused.error().message.find("number") != std::string::npos);
    EXPECT_EQ(rows, 3000);
}

TEST(DataFile, RefusesToWaitForItself) {
    TestFolder folder;
    auto data = open_data(folder.file("d.duckdb"));
    auto nested = data->write([&](duck::Connection&) { return run_in(*data, "select 1"); });
    EXPECT_EQ(nested.error().kind, ErrorKind::bug);
    auto control = open_control(folder.file("c.sqlite"), tarn_schema());
    EXPECT_EQ(control->transaction([&] { return run_in(*data, "select 1"); }).error().kind, ErrorKind::bug);
}

TEST(DataFile, AddsMissingTablesAndColumns) {
    auto data = open_data(":memory:");
    ASSERT_TRUE(good(data->ensure(parsed("create table t (id bigint not null, primary key (id));"))));
    ASSERT_TRUE(good(run_in(*data, "insert into t values (1)")));
    Schema wider = parsed(
        "create table t (id bigint not null, \"table\" text not null, primary key (id)) origin; "
        "create table c (a text, s text secret) control;");
    ASSERT_TRUE(good(data->ensure(wider)));
    ASSERT_TRUE(good(data->ensure(wider)));
    EXPECT_EQ(rows_of(*data, "select id, \"table\", _raw_data_id from t"), "1|-|-");
    EXPECT_EQ(rows_of(*data, "select column_name from duckdb_columns() where table_name = 'c'"), "a");
}

TEST(DataFile, KilledWhileWritingKeepsWhatWasCommitted) {
    TestFolder folder;
    auto path = folder.file("d.duckdb");
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto data = DataFile::open(path, {.threads = 1});
        if (!data || !run_in(**data, "create table a (n integer, t varchar); create table b (n integer)"))
            ::_exit(1);
        for (std::int64_t i = 1;; ++i) {
            auto n = std::to_string(i);
            if (!run_in(**data, "insert into a values (" + n +
                                    ", repeat('x', 100000)); insert into b values (" + n + ")"))
                ::_exit(1);
            if (::write(pipe_ends[1], &i, sizeof i) != sizeof i) ::_exit(1);
        }
    }
    ::close(pipe_ends[1]);
    std::int64_t said = 0;
    while (said < 30 && ::read(pipe_ends[0], &said, sizeof said) == sizeof said) {
    }
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &said, sizeof said) == sizeof said) {
    }
    ::close(pipe_ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    auto data = open_data(path);
    EXPECT_EQ(rows_of(*data, "select count(*) >= " + std::to_string(said) + ", count(*) = max(n) from a"),
              "true|true");
    EXPECT_EQ(rows_of(*data, "select (select count(*) from a) = (select count(*) from b)"), "true");
}

TEST(Mirror, WritesOnlyRowsThatDiffer) {
    TestFolder folder;
    Schema schema = tarn_schema();
    ASSERT_TRUE(
        good(schema.parse("create table scopes (id ubigint not null auto, name varchar(255), token text "
                          "secret, enabled boolean, day date, "
                          "ratio double, primary key (id)) times control;",
                          "test.sql")));
    auto control = open_control(folder.file("c.sqlite"), schema);
    auto data = open_data(folder.file("d.duckdb"));
    ASSERT_TRUE(good(data->ensure(schema)));
    const Table& table = *schema.table("scopes");
    ASSERT_TRUE(good(control->run(
        "insert into scopes (name, token, enabled, day, ratio, created_at, updated_at) values "
        "('a', 'hidden', 1, '2024-02-29', 0.5, '2024-01-01 00:00:00.123', '2024-01-01 00:00:00.000'), "
        "('b', null, 0, null, null, null, null), ('c', null, null, null, null, null, null)")));
    ASSERT_TRUE(good(mirror_control(*data, *control, table)));
    EXPECT_EQ(rows_of(*data, "select id, name, enabled, day, ratio, created_at from scopes order by id"),
              "1|a|true|2024-02-29|0.5|2024-01-01 00:00:00.123\n2|b|false|-|-|-\n3|c|-|-|-|-");
    EXPECT_EQ(rows_of(*data, "select count(*) from scopes where updated_at > now() - interval 1 hour"), "3");
    auto stamps = rows_of(*data, "select id, updated_at from scopes where id = 1");
    ASSERT_TRUE(
        good(control->run("update scopes set updated_at = '2025-01-01 00:00:00.000', token = 'other'")));
    ASSERT_TRUE(good(control->run("update scopes set name = 'B' where id = 2")));
    ASSERT_TRUE(good(control->run("delete from scopes where id = 3")));
    ASSERT_TRUE(good(mirror_control(*data, *control, table)));
    EXPECT_EQ(rows_of(*data, "select id, name from scopes order by id"), "1|a\n2|B");
    EXPECT_EQ(rows_of(*data, "select id, updated_at from scopes where id = 1"), stamps);
    EXPECT_EQ(rows_of(*data,
                      "select (select updated_at from scopes where id = 2) > (select updated_at from scopes "
                      "where id = 1)"),
              "true");
}

TEST(Mirror, LeavesRowsThatModelsMade) {
    Schema schema = tarn_schema();
    ASSERT_TRUE(
        good(schema.parse("create table jobs (name varchar(255) not null, url text, primary key (name)) "
                          "origin control;",
                          "test.sql")));
    auto control = open_control(":memory:", schema);
    auto data = open_data(":memory:");
    ASSERT_TRUE(good(data->ensure(schema)));
    ASSERT_TRUE(good(control->run("insert into jobs (name, url) values ('scope', 'a')")));
    auto made = "insert into jobs (name, url, _raw_data_id) values ('scope', 'm', 7), ('below', 'm', 8)";
    ASSERT_TRUE(good(run_in(*data, made)));
    ASSERT_TRUE(good(mirror_control(*data, *control, *schema.table("jobs"))));
    EXPECT_EQ(rows_of(*data, "select name, url from jobs order by name"), "below|m\nscope|a");
    ASSERT_TRUE(good(control->run("delete from jobs")));
    ASSERT_TRUE(good(mirror_control(*data, *control, *schema.table("jobs"))));
    EXPECT_EQ(rows_of(*data, "select name, url from jobs order by name"), "below|m");
}

TEST(MemoryLimit, LeavesRoomForTwoBatchesAndTheProgram) {
    EXPECT_EQ(options_within("")->memory_limit, "");
    EXPECT_EQ(options_within("")->batch_bytes, 144'000'000);
    EXPECT_EQ(options_within("800MB")->batch_bytes, 100'000'000);
    EXPECT_EQ(options_within("800MB")->memory_limit, "416MB");
    EXPECT_EQ(options_within("2 GB")->batch_bytes, 144'000'000);
    EXPECT_EQ(options_within("2 GB")->memory_limit, "1528MB");
    EXPECT_EQ(options_within("1.5GiB")->memory_limit, "1138MB");
    EXPECT_EQ(options_within("100000000")->memory_limit, "200MB");
    EXPECT_EQ(options_within("100000000")->batch_bytes, 36'000'000);
    EXPECT_EQ(options_within("much").error().kind, ErrorKind::terminal);
    EXPECT_EQ(options_within("-1GB").error().kind, ErrorKind::terminal);
}

}  // namespace
}  // namespace tarn
