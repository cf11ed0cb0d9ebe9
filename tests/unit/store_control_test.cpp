#include "store/control.h"

#include <sys/wait.h>
#include <csignal>
#include <thread>

#include "store/server/control.h"
#include "unit/server_fixture.h"
#include "unit/store_fixture.h"

namespace tarn {
namespace {

// "sqlite", "mysql", "postgres"
class Control : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (GetParam() != "sqlite") {
            url_ = fresh_database(GetParam() == "mysql" ? server::Engine::mysql : server::Engine::postgres);
            if (url_.empty()) GTEST_SKIP() << "the server's packages are not installed";
        }
        open();
    }
    void open() {
        store_.reset();
        if (url_.empty()) {
            store_ = open_control(folder_.file("c.sqlite"), schema());
            return;
        }
        auto store = server::open_control(*server::parse_db_url(url_));
        ASSERT_TRUE(good(store));
        store_ = std::move(*store);
        ASSERT_TRUE(good(store_->ensure(schema())));
    }

    static Schema schema() {
        Schema schema = tarn_schema();
        EXPECT_TRUE(
            good(schema.parse("create table things (id ubigint not null auto, name varchar(255) not null, n "
                              "double, yes boolean, at "
                              "datetime, secret_text blob, primary key (id), unique index (name)) control;",
                              "test.sql")));
        return schema;
    }
    Result<std::int64_t> add(const std::string& name) {
        return store_->insert("insert into things (name) values (?)", {name});
    }
    std::int64_t count() { return store_->query("select count(*) as n from things")->number(0, "n"); }

    TestFolder folder_;
    std::string url_;  // of a server
    std::unique_ptr<ControlStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, Control, testing::Values("sqlite", "mysql", "postgres"),
                         [](const auto& each) { return each.param; });

TEST_P(Control, KeepsValuesOfEveryKind) {
    EXPECT_EQ(*add(std::string("a\0b", 3)), 1);
    ASSERT_TRUE(good(store_->run("update things set n = ? where id = ?", {0.25, std::int64_t{1}})));
    auto rows = store_->query("select id, name, n, null as nil from things where id = ?", {std::int64_t{1}});
    ASSERT_TRUE(good(rows));
    // PostgreSQL has no NUL in texts.
    EXPECT_EQ(rows->text(0, "name"), GetParam() == "postgres" ? "ab" : std::string("a\0b", 3));
    EXPECT_EQ(rows->text(0, "n"), "0.25");
    EXPECT_TRUE(rows->is_null(0, "nil"));
    EXPECT_EQ(rows->number(0, "id"), 1);
    EXPECT_EQ(store_->query("select name from things where id = 7")->names, std::vector<std::string>{"name"});
    EXPECT_EQ(*store_->run("update things set n = 1"), 1);
    EXPECT_EQ(*store_->run("create table if not exists things (a bigint)"), 0);
    ASSERT_TRUE(good(store_->run("update things set yes = ?, \"at\" = ?, secret_text = ?",
                                 {std::int64_t{1}, "2026-11-23 13:55:38.120", "{\"a\": \"\\\\n\"}"})));
    rows = store_->query("select * from things where yes = ? and \"at\" > ?",
                         {std::int64_t{1}, "2026-11-23 13:55:38.119"});
    ASSERT_TRUE(good(rows));
    EXPECT_EQ(rows->number(0, "yes"), 1);
    EXPECT_EQ(rows->text(0, "at"), "2026-11-23 13:55:38.120");
    EXPECT_EQ(rows->text(0, "secret_text"), "{\"a\": \"\\\\n\"}");
}

TEST_P(Control, UpsertsAndLeavesAlone) {
    ASSERT_TRUE(good(add("a")));
    std::string insert = "insert into things (name, n) values (?, ?) on conflict (name) do ";
    ASSERT_TRUE(good(store_->run(insert + "update set n = excluded.n", {"a", 2.0})));
    ASSERT_TRUE(good(store_->run(insert + "nothing", {"a", 3.0})));
    ASSERT_TRUE(
        good(store_->run("insert into things (name, n) values (?, ?) on conflict do nothing", {"b", 4.0})));
    auto rows = store_->query("select name, n from things order by name");
    ASSERT_TRUE(good(rows));
    ASSERT_EQ(rows->rows.size(), 2U);
    EXPECT_EQ(rows->text(0, "n"), "2");
    EXPECT_EQ(rows->text(1, "n"), "4");
}

// A constraint that is hit takes its own statement back and nothing else.
TEST_P(Control, TransactionGoesOnAfterARefusedRow) {
    auto work = [&]() -> Result<> {
        TARN_TRY(add("a"));
        EXPECT_EQ(add("a").error().kind, ErrorKind::bad_data);
        TARN_TRY(add("b"));
        return {};
    };
    ASSERT_TRUE(good(store_->transaction(work)));
    EXPECT_EQ(count(), 2);
}

TEST_P(Control, TextsAreFoundInUpperAndLowerCase) {
    for (const char* name : {"Needle%1", "needle_2", "NEEDLE!3", "hay"}) ASSERT_TRUE(good(add(name)));
    auto found = [&](const std::string& text) {
        auto rows = store_->query("select id from things where " + holds_text("name"), {like_pattern(text)});
        EXPECT_TRUE(good(rows));
        return rows ? rows->rows.size() : 0;
    };
    EXPECT_EQ(found("nEEdle"), 3U);
    EXPECT_EQ(found("e%"), 1U);
    EXPECT_EQ(found("E_2"), 1U);
    EXPECT_EQ(found("e!"), 1U);
    EXPECT_EQ(found(""), 4U);
}

TEST_P(Control, BooleansAreTrueAndFalseInSql) {
    ASSERT_TRUE(
        good(store_->run("insert into things (name, yes) values ('a', true), ('b', false), ('c', null)")));
    ASSERT_TRUE(good(store_->run("update things set yes = false where yes = true")));
    auto rows = store_->query("select name, yes from things where yes = false order by name");
    ASSERT_TRUE(good(rows));
    ASSERT_EQ(rows->rows.size(), 2U);
    EXPECT_EQ(rows->text(0, "yes"), "0");
    EXPECT_EQ(store_->query("select name from things where yes = ?", {std::int64_t{0}})->rows.size(), 2U);
}

TEST_P(Control, IdsAreNotUsedAgain) {
    ASSERT_TRUE(good(add("a")));
    ASSERT_TRUE(good(store_->run("delete from things")));
    EXPECT_EQ(*add("b"), 2);
}

TEST_P(Control, ErrorsTellTheKind) {
    ASSERT_TRUE(good(add("a")));
    EXPECT_EQ(add("a").error().kind, ErrorKind::bad_data);
    EXPECT_EQ(store_->run("select from").error().kind, ErrorKind::bug);
    EXPECT_EQ(store_->run("delete from things; delete from things").error().kind, ErrorKind::bug);
    EXPECT_EQ(store_->run("delete from things where id = ?").error().kind, ErrorKind::bug);
    EXPECT_EQ(open_sqlite("/nowhere/c.sqlite").error().kind, ErrorKind::terminal);
}

TEST_P(Control, TransactionIsAllOrNothingAndNests) {
    auto refuse = fail(ErrorKind::bad_data, "no");
    auto failed = store_->transaction([&]() -> Result<> {
        TARN_TRY(add("a"));
        return refuse;
    });
    EXPECT_EQ(failed.error().message, "no");
    EXPECT_EQ(count(), 0);
    auto inner = [&]() -> Result<> {
        TARN_TRY(add("inner"));
        return refuse;
    };
    auto outer = [&]() -> Result<> {
        TARN_TRY(add("outer"));
        EXPECT_TRUE(in_control_transaction());
        EXPECT_FALSE(store_->transaction(inner));
        auto second = [&]() -> Result<> {
            TARN_TRY(add("second"));
            return {};
        };
        return store_->transaction(second);
    };
    ASSERT_TRUE(good(store_->transaction(outer)));
    EXPECT_FALSE(in_control_transaction());
    EXPECT_EQ(count(), 2);
    EXPECT_EQ(store_->query("select id from things where name = 'inner'")->rows.size(), 0U);
}

TEST_P(Control, ThreadsWaitForEachOther) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 25; ++i) {
                auto work = [&]() -> Result<> {
                    auto before = count();
                    TARN_TRY(add(std::to_string(t) + "/" + std::to_string(i)));
                    return count() == before + 1 ? Result<>{}
                                                 : fail(ErrorKind::bug, "another thread wrote in between");
                };
                EXPECT_TRUE(good(store_->transaction(work)));
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(count(), 100);
}

TEST_P(Control, AddsMissingColumnsAndKeepsRows) {
    ASSERT_TRUE(good(add("a")));
    Schema wider = parsed(
        "create table things (id ubigint not null auto, name varchar(255) not null, n double, kind text not "
        "null, "
        "primary key (id), index (kind)) control;");
    ASSERT_TRUE(good(store_->ensure(wider)));
    ASSERT_TRUE(good(store_->ensure(wider)));
    auto rows = store_->query("select name, kind from things");
    ASSERT_TRUE(good(rows));
    EXPECT_EQ(rows->text(0, "name"), "a");
    EXPECT_TRUE(rows->is_null(0, "kind"));
}

TEST_P(Control, StampsGrowAlsoWhenTheClockStepsBack) {
    Millis first = *store_->next_stamp();
    EXPECT_NEAR(static_cast<double>(first), static_cast<double>(now_millis()), 60'000);
    Millis second = *store_->next_stamp();
    EXPECT_GT(second, first);
    Millis future = now_millis() + 3'600'000;
    ASSERT_TRUE(good(store_->run("update _tarn_stamps set stamp = ?", {future})));
    open();
    EXPECT_EQ(*store_->next_stamp(), future + 1);
    EXPECT_EQ(*store_->next_stamp(), future + 2);
    auto inside = [&]() -> Result<> {
        TARN_TRY(store_->next_stamp());
        return {};
    };
    EXPECT_EQ(store_->transaction(inside).error().kind, ErrorKind::bug);
}

// A child that writes until it is killed; what it said is committed must be there, and nothing torn.
TEST(ControlCrash, KeepsWhatWasCommitted) {
    TestFolder folder;
    auto path = folder.file("c.sqlite");
    Schema schema = parsed(
        "create table pairs (id ubigint not null auto, a bigint, b bigint, primary key (id)) control;");
    std::int64_t said = 0;
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto store = open_sqlite(path);
        if (!store || !(*store)->ensure(schema)) ::_exit(1);
        for (std::int64_t i = 1;; ++i) {
            auto work = [&]() -> Result<> {
                TARN_TRY((*store)->run("insert into pairs (a) values (?)", {i}));
                TARN_TRY((*store)->run("update pairs set b = a where b is null"));
                return {};
            };
            if (!(*store)->transaction(work) || ::write(pipe_ends[1], &i, sizeof i) != sizeof i) ::_exit(1);
        }
    }
    ::close(pipe_ends[1]);
    while (said < 40 && ::read(pipe_ends[0], &said, sizeof said) == sizeof said) {
    }
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &said, sizeof said) == sizeof said) {
    }
    ::close(pipe_ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    auto store = open_control(path, schema);
    auto rows = store->query("select count(*) as n, max(a) as last, sum(b is null) as torn from pairs");
    ASSERT_TRUE(good(rows));
    EXPECT_GE(rows->number(0, "last"), said);
    EXPECT_EQ(rows->number(0, "n"), rows->number(0, "last"));
    EXPECT_EQ(rows->number(0, "torn"), 0);
}

}  // namespace
}  // namespace tarn
