// Lists that rest on something else: on other scopes' readings, on a filter's text, on a time zone, on parents that go.
#include "unit/connector_fixture.h"

namespace tarn::connector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Lists : public CollectTest {
  protected:
    void SetUp() override {
        CollectTest::SetUp();
        source_.answer = [](const Request&, Answer& response) {
            send_json(response, "[" + numbered(1, 3) + "]");
        };
    }

    // One of two boards of a connection: the demo's params with these in place of its own.
    std::string run_for(const std::string& params, const std::string& stream) {
        CollectTask one = task(stream);
        one.params = params;
        auto summary = collect(one, *client_, *data_, *control_);
        return summary ? std::to_string(summary->requests) : summary.error().text();
    }
    void two_boards() { connector_.scope.params = {{"C", "connectionId"}, {"B", "owner"}}; }
};

constexpr const char* shared_list = R"(
  kinds: {subtask: Collect, raw: _raw_demo_kinds, path: kinds, shared: 10m, key: [id], item: {id: bigint}}
)";

TEST_F(Lists, ASharedListIsAskedForOncePerConnection) {
    declare(shared_list);
    two_boards();
    EXPECT_EQ(run_for(R"({"C":1,"B":1})", "kinds"), "1");
    EXPECT_EQ(run_for(R"({"C":1,"B":2})", "kinds"), "0");
    // Nobody has read it later than this board: it asks again, and the other takes that over.
    EXPECT_EQ(run_for(R"({"C":1,"B":1})", "kinds"), "1");
    EXPECT_EQ(run_for(R"({"C":1,"B":2})", "kinds"), "0");
    EXPECT_EQ(run_for(R"({"C":2,"B":1})", "kinds"), "1");
    EXPECT_EQ(rows_of(*data_, "select params, count(*) from _raw_demo_kinds group by 1 order by 1"),
              "{\"C\":1,\"B\":1}|3\n{\"C\":1,\"B\":2}|3\n{\"C\":2,\"B\":1}|3");
    full_sync_ = true;
    EXPECT_EQ(run_for(R"({"C":1,"B":2})", "kinds"), "1");
}

TEST_F(Lists, ASharedListIsNoOlderThanItsFirstReading) {
    declare(shared_list);
    two_boards();
    EXPECT_EQ(run_for(R"({"C":1,"B":1})", "kinds"), "1");
    ASSERT_TRUE(good(control_->run("update _devlake_collector_latest_state set latest_success_start = ?",
                                   {format_sql(now_millis() - 590'000)})));
    EXPECT_EQ(run_for(R"({"C":1,"B":2})", "kinds"), "0");
    auto times = control_->query("select distinct latest_success_start from _devlake_collector_latest_state");
    ASSERT_TRUE(good(times));
    EXPECT_EQ(times->rows.size(), 1U);
    ASSERT_TRUE(good(control_->run("update _devlake_collector_latest_state set latest_success_start = ?",
                                   {format_sql(now_millis() - 610'000)})));
    EXPECT_EQ(run_for(R"({"C":1,"B":2})", "kinds"), "1");
}

TEST_F(Lists, ParentsShareTheirReadings) {
    declare(R"(
  kinds:
    {subtask: Collect, raw: _raw_demo_kinds, path: "kinds/{in.group}", parents: "select 7 as group", input: {group: bigint}, shared: 10m, key: [id],
     item: {id: bigint}}
)");
    two_boards();
    EXPECT_EQ(run_for(R"({"C":1,"B":1})", "kinds"), "1");
    EXPECT_EQ(run_for(R"({"C":1,"B":2})", "kinds"), "0");
    EXPECT_EQ(run_for(R"({"C":1,"B":1})", "kinds"), "1");
    EXPECT_EQ(run_for(R"({"C":1,"B":2})", "kinds"), "0");
    EXPECT_EQ(rows_of(*data_, "select distinct params, input from _raw_demo_kinds order by 1"),
              "{\"C\":1,\"B\":1}|{\"group\":7}\n{\"C\":1,\"B\":2}|{\"group\":7}");
}

TEST_F(Lists, AnotherBasisReadsTheListInFull) {
    declare(R"(
  things: {subtask: Collect, raw: _raw_demo_things, path: things, since: {query: since}, basis: select state from demo, key: [id], item: {id: bigint}}
)");
    ASSERT_TRUE(good(data_->write([](duck::Connection& connection) -> Result<> {
        TARN_TRY(connection.run("insert into demo (id, state) values (1, 'a')"));
        return {};
    })));
    EXPECT_EQ(run("things"), "3/3/0/0, 1 complete");
    EXPECT_EQ(run("things"), "3/0/0/0, 1");
    source_.newly_asked();
    auto set = [&](const std::string& state) {
        ASSERT_TRUE(good(data_->write([&](duck::Connection& connection) -> Result<> {
            TARN_TRY(connection.run("update demo set state = " + sql_text(state)));
            return {};
        })));
    };
    set("b");
    source_.answer = [](const Request&, Answer& response) {
        send_json(response, "[" + numbered(2, 3) + "]");
    };
    EXPECT_EQ(run("things"), "2/0/0/1, 1 complete");
    EXPECT_THAT(source_.newly_asked(), ElementsAre("GET /things"));
    EXPECT_EQ(run("things"), "2/0/0/0, 1");
    // A basis that cannot be told says nothing.
    set("");
    EXPECT_EQ(run("things"), "2/0/0/0, 1");
}

TEST_F(Lists, TimesStandInTheSourcesZone) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: things
    since: {query: q, format: "{since:%Y-%m-%d %H:%M}", zone: select state from demo}
    key: [id]
    item: {id: bigint}
)");
    auto asked_in = [&](const std::string& zone) {
        EXPECT_TRUE(good(data_->write([&](duck::Connection& connection) -> Result<> {
            TARN_TRY(connection.run("delete from demo"));
            TARN_TRY(connection.run("insert into demo (id, state) values (1, " + sql_text(zone) + ")"));
            return {};
        })));
        EXPECT_TRUE(good(control_->run("delete from _devlake_collector_latest_state", {})));
        set_state("_raw_demo_things", "2026-07-01 10:00:30.000");
        source_.newly_asked();
        run("things");
        return source_.newly_asked().front();
    };
    EXPECT_EQ(asked_in("Asia/Kolkata"), "GET /things?q=2026-07-01%2015%3A30");
    EXPECT_EQ(asked_in("America/New_York"), "GET /things?q=2026-07-01%2006%3A00");
    EXPECT_EQ(asked_in("Mars/Olympus"), "GET /things?q=2026-06-30%2010%3A00");
}

TEST_F(Lists, RowsOfParentsThatAreGoneGo) {
    declare(R"(
  parts:
    {subtask: Collect, raw: _raw_demo_parts, path: "things/{in.id}", parents: "select id, version from demo", input: {id: bigint}, forget: yes, key: [id],
     item: {id: bigint}}
)");
    auto demo = [&](const std::string& sql) {
        ASSERT_TRUE(good(data_->write([&](duck::Connection& connection) -> Result<> {
            TARN_TRY(connection.run(sql));
            return {};
        })));
    };
    demo("insert into demo (id, version) values (1, 'x'), (2, 'x')");
    EXPECT_EQ(run("parts"), "6/6/0/0, 2 complete");
    demo("delete from demo where id = 1");
    EXPECT_EQ(run("parts"), "0/0/0/3, 0");
    EXPECT_EQ(rows_of(*data_, "select distinct input from _raw_demo_parts"), R"({"id":2})");
    demo("insert into demo (id, version) values (1, 'x')");
    EXPECT_EQ(run("parts"), "3/3/0/0, 1");
}

}  // namespace
}  // namespace tarn::connector
