#include "store/control.h"

#include <sys/wait.h>
#include <csignal>
#include <thread>

#include "unit/store_fixture.h"

namespace tarn {
namespace {

class Control : public testing::Test {
  protected:
    Control() : store_(open_control(folder_.file("c.sqlite"), schema())) {}

    static Schema schema() {
        Schema schema = tarn_schema();
        EXPECT_TRUE(good(schema.parse(
            "create table things (id ubigint not null auto, name varchar(255) not null, n double, "
            "primary key (id), unique index (name)) control;",
            "test.sql")));
        return schema;
    }
    Result<std::int64_t> add(const std::string& name) {
        return store_->insert("insert into things (name) values (?)", {name});
    }
    std::int64_t count() { return store_->query("select count(*) as n from things")->number(0, "n"); }

    TestFolder folder_;
    std::unique_ptr<ControlStore> store_;
};

TEST_F(Control, KeepsValuesOfEveryKind) {
    EXPECT_EQ(*add(std::string("a\0b", 3)), 1);
    ASSERT_TRUE(good(store_->run("update things set n = ? where id = ?", {0.25, std::int64_t{1}})));
    auto rows = store_->query("select id, name, n, null as nil from things where id = ?", {std::int64_t{1}});
    ASSERT_TRUE(good(rows));
    EXPECT_EQ(rows->text(0, "name"), std::string("a\0b", 3));
    EXPECT_EQ(rows->text(0, "n"), "0.25");
    EXPECT_TRUE(rows->is_null(0, "nil"));
    EXPECT_EQ(rows->number(0, "id"), 1);
    EXPECT_EQ(store_->query("select name from things where id = 7")->names, std::vector<std::string>{"name"});
    EXPECT_EQ(*store_->run("update things set n = 1"), 1);
    EXPECT_EQ(*store_->run("create table if not exists things (a)"), 0);
}

TEST_F(Control, IdsAreNotUsedAgain) {
    ASSERT_TRUE(good(add("a")));
    ASSERT_TRUE(good(store_->run("delete from things")));
    EXPECT_EQ(*add("b"), 2);
}

TEST_F(Control, ErrorsTellTheKind) {
    ASSERT_TRUE(good(add("a")));
    EXPECT_EQ(add("a").error().kind, ErrorKind::bad_data);
    EXPECT_EQ(store_->run("select from").error().kind, ErrorKind::bug);
    EXPECT_EQ(store_->run("delete from things; delete from things").error().kind, ErrorKind::bug);
    EXPECT_EQ(store_->run("delete from things where id = ?").error().kind, ErrorKind::bug);
    EXPECT_EQ(open_sqlite("/nowhere/c.sqlite").error().kind, ErrorKind::terminal);
}

TEST_F(Control, TransactionIsAllOrNothingAndNests) {
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

TEST_F(Control, ThreadsWaitForEachOther) {
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

TEST_F(Control, AddsMissingColumnsAndKeepsRows) {
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

TEST_F(Control, StampsGrowAlsoWhenTheClockStepsBack) {
    Millis first = *store_->next_stamp();
    EXPECT_NEAR(static_cast<double>(first), static_cast<double>(now_millis()), 60'000);
    Millis second = *store_->next_stamp();
    EXPECT_GT(second, first);
    Millis future = now_millis() + 3'600'000;
    ASSERT_TRUE(good(store_->run("update _tarn_stamps set stamp = ?", {future})));
    store_ = open_control(folder_.file("c.sqlite"), schema());
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
