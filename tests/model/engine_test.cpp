// The five rules of "How a result reaches its table" (docs/architecture.md).
#include "engine_fixture.h"

namespace tarn::model {
namespace {

TEST_F(EngineTest, FirstRunMakesToolAndDomainRows) {
    raw(1, issue(11, "a bug", label("x") + "," + label("y")));
    raw(2, issue(12, "a wish"));
    stage();
    EXPECT_EQ(rows("select id, title, kind from _tool_t_issues order by 1"), "11|a bug|BUG;12|a wish|-");
    EXPECT_EQ(rows("select id, title, rank from issues order by 1"), "t:1:11|a bug|5;t:1:12|a wish|6");
    EXPECT_EQ(rows("select * exclude (created_at, updated_at) from issue_labels order by 2"),
              "t:1:11|x|" + params(1) + "|_raw_t_issues|1|;t:1:11|y|" + params(1) + "|_raw_t_issues|1|");
    EXPECT_EQ(rows("select id, name from accounts"), "t:1:7|user7");
}

TEST_F(EngineTest, NoNewsWritesNothing) {
    raw(1, issue(11, "a bug", label("x")));
    stage();
    auto again = stage();
    EXPECT_EQ(written(again), 0);
    for (const auto& [id, count] : again) EXPECT_TRUE(count.skipped) << id;
    EXPECT_EQ(written(stage(1, true)), 0) << "a full pass over equal rows";
}

TEST_F(EngineTest, OnlyWhatChangedIsWritten) {
    for (int i = 1; i <= 20; ++i) raw(i, issue(10 + i, "t" + std::to_string(i), label("x")));
    stage();
    std::string before = rows("select id, updated_at from issues where id <> 't:1:13' order by 1");
    raw(3, issue(13, "new", label("x")));
    auto counts = stage();
    EXPECT_EQ(counts["t/" + folder_.filename().string() + "/issues"].worked, 1);
    EXPECT_EQ(rows("select title, rank, created_at < updated_at from issues where id = 't:1:13'"),
              "new|3|true");
    EXPECT_EQ(rows("select id, updated_at from issues where id <> 't:1:13' order by 1"), before);
}

TEST_F(EngineTest, LabelsTakenOffGoOthersStay) {
    raw(1, issue(11, "one", label("x") + "," + label("y")));
    raw(2, issue(12, "two", label("x")));
    stage();
    raw(1, issue(11, "one", label("y")));
    stage();
    EXPECT_EQ(rows("select issue_id, label_name from issue_labels order by 1, 2"), "t:1:11|y;t:1:12|x");
    raw(1, issue(11, "one"));
    stage();
    EXPECT_EQ(rows("select issue_id, label_name from issue_labels order by 1, 2"), "t:1:12|x");
    EXPECT_EQ(rows("select issue_id, name from _tool_t_labels"), "12|x");
}

TEST_F(EngineTest, RowsVanishWithTheirItem) {
    raw(1, issue(11, "one", label("x")));
    raw(2, issue(12, "two", label("x")));
    stage();
    raw_gone(1);
    stage();
    EXPECT_EQ(rows("select id from _tool_t_issues"), "12");
    EXPECT_EQ(rows("select id from issues"), "t:1:12");
    EXPECT_EQ(rows("select issue_id from issue_labels"), "t:1:12");
    EXPECT_EQ(written(stage()), 0);
}

TEST_F(EngineTest, RowsOfAnOldInstanceSurvive) {
    std::string origin = text_literal(params(1)) + ", '_raw_t_issues', ";
    sql("insert into _tool_t_issues (connection_id, id, repo_id, title, _raw_data_params, _raw_data_table, "
        "_raw_data_id) values (1, 99, 1, 'old', " +
        origin + "900), (1, 98, 1, 'kept', " + origin + "1)");
    sql("insert into issues (id, title, _raw_data_params, _raw_data_table, _raw_data_id) values ('t:1:99', "
        "'old', " +
        origin + "900), ('t:1:97', 'lost tool row', " + origin + "900)");
    sql("insert into _raw_t_issues (id, params, data) values (900, " + text_literal(params(1)) + ", " +
        text_literal("{\"id\":96}") + ")");
    sql("delete from _raw_t_issues where id = 900");
    raw(2, issue(12, "two"));
    stage();
    raw(2, issue(12, "three"));
    stage();
    stage(1, true);
    EXPECT_EQ(rows("select id from issues order by 1"), "t:1:12;t:1:97;t:1:98;t:1:99");
    EXPECT_EQ(rows("select id from _tool_t_issues order by 1"), "12;98;99");
}

TEST_F(EngineTest, AReadParentLosesChildrenOfAnOldInstance) {
    sql("insert into _tool_t_labels (connection_id, issue_id, name, _raw_data_params, _raw_data_table, "
        "_raw_data_id) values (1, 11, 'stale', " +
        text_literal(params(1)) + ", '_raw_t_issues', 900), (1, 50, 'other', " + text_literal(params(1)) +
        ", '_raw_t_issues', 901)");
    raw(1, issue(11, "one"));
    stage();
    EXPECT_EQ(rows("select issue_id, name from _tool_t_labels"), "50|other");
}

TEST_F(EngineTest, ScopesThatOverlapLeaveOneRowAKey) {
    raw(1, issue(11, "one", "", 7), 1);
    raw(2, issue(12, "two", "", 7), 2);
    stage(1);
    stage(2);
    EXPECT_EQ(rows("select count(*), count(distinct id) from accounts"), "1|1");
    raw_gone(2, 2);
    stage(2);
    EXPECT_EQ(rows("select id from accounts"), "t:1:7") << "a shared row is never deleted by one scope";
    EXPECT_EQ(rows("select id from issues"), "t:1:11");
}

TEST_F(EngineTest, ABadVersionLeavesTheGoodOne) {
    raw(1, issue(11, "good", label("x")));
    stage();
    raw(1, R"({"id":{"no":1},"title":"bad"})");
    auto counts = stage();
    EXPECT_EQ(rows("select id, title from _tool_t_issues"), "11|good");
    EXPECT_EQ(rows("select label_name from issue_labels"), "x");
    EXPECT_EQ(rows("select raw_table, raw_id, path, reason from _tarn_rejects"),
              "_raw_t_issues|1|id|id: expected bigint, found object");
    raw(1, "<html>");
    stage();
    EXPECT_EQ(rows("select count(*) from _tool_t_issues"), "1");
    raw(1, issue(11, "better", label("y")));
    stage();
    EXPECT_EQ(rows("select title from issues"), "better");
    EXPECT_EQ(rows("select label_name from issue_labels"), "y");
    EXPECT_EQ(rows("select count(*) from _tarn_rejects"), "0");
}

TEST_F(EngineTest, ANullKeyIsPutAside) {
    raw(1, R"({"title":"no id"})");
    raw(2, issue(12, "two"));
    stage();
    EXPECT_EQ(rows("select id from issues"), "t:1:12");
    EXPECT_EQ(rows("select count(*) > 0, min(raw_id) from _tarn_rejects"), "true|1");
}

TEST_F(EngineTest, AChangedScopeConfigRemakesWhatItTouches) {
    raw(1, issue(11, "a bug"));
    raw(2, issue(12, "a wish"));
    stage();
    std::string labels = rows("select updated_at from accounts");
    bug_ = "wish";
    auto counts = stage();
    EXPECT_EQ(rows("select id, kind from issues order by 1"), "t:1:11|-;t:1:12|BUG");
    EXPECT_EQ(counts["t/" + folder_.filename().string() + "/issues"].changed, 2);
    EXPECT_TRUE(counts["t/" + folder_.filename().string() + "/users"].skipped);
    EXPECT_EQ(rows("select updated_at from accounts"), labels);
}

TEST_F(EngineTest, ColumnsOfAnUpdateModelSurviveTheNextConvert) {
    raw(1, issue(11, "one"));
    stage();
    sql("update issues set rank = 77");
    bug_ = "one";
    std::vector<const Model*> models;
    for (const auto& model : set_->models()) {
        if (model.subtask != "Rank Issues") models.push_back(&model);
    }
    ScopeRun run;
    run.inputs = inputs(1);
    run.params = params(1);
    ASSERT_TRUE(run_stage(*data_, *control_, *set_, models, run));
    EXPECT_EQ(rows("select kind, rank from issues"), "BUG|77");
}

TEST_F(EngineTest, AStreamsParentsWaitForTheColumnsTheyReadOnly) {
    Surroundings surroundings = around();
    surroundings.selects = {{"a.parents", "select id, title from issues"},
                            {"b.parents", "select id, rank from issues"}};
    auto set = ModelSet::load(surroundings);
    ASSERT_TRUE(set) << set.error().text();
    for (const auto& one : set->models()) {
        bool ranks = one.id.ends_with("/rank");
        bool rows = one.id.ends_with("/domain_issues");
        EXPECT_EQ(set->feeds_select(one, "a.parents"), rows) << one.id;
        EXPECT_EQ(set->feeds_select(one, "b.parents"), rows || ranks) << one.id;
    }
}

TEST_F(EngineTest, TheHighestRawIdWinsWithinOneResult) {
    raw(1, R"({"id":11,"title":"a","user":{"id":7,"login":"old"}})");
    raw(2, R"({"id":12,"title":"b","user":{"id":7,"login":"new"}})");
    stage();
    EXPECT_EQ(rows("select login, _raw_data_id from _tool_t_users"), "new|2");
}

TEST_F(EngineTest, LongTextIsCutAndToldAbout) {
    raw(1, issue(11, "a title of far more than twenty characters, é"));
    auto counts = stage();
    EXPECT_EQ(rows("select title from issues"), "a title of far more ");
    EXPECT_EQ(rows("select count(*) from _tarn_rejects where reason like '%cut at 20%'"), "1");
    EXPECT_EQ(written(stage(1, true)), 0);
}

TEST_F(EngineTest, NulAndTimesHaveOneForm) {
    raw(1, "{\"id\":11,\"title\":\"a\\u0000b\",\"closed\":\"2024-01-02T03:04:05.678901+02:00\"}");
    stage();
    EXPECT_EQ(rows("select title, closed from _tool_t_issues"), "ab|2024-01-02 01:04:05.678");
}

TEST_F(EngineTest, AnAbortedStageLeavesEverythingAsItWas) {
    raw(1, issue(11, "one"));
    stage();
    raw(1, issue(11, "two"));
    ScopeRun run;
    run.inputs = inputs(1);
    run.params = params(1);
    run.progress = [&](const Model& model, const ModelCounts&) {
        if (model.subtask == "Extract Issues") run.cancel.cancel();
    };
    std::vector<const Model*> models;
    for (const auto& model : set_->models()) models.push_back(&model);
    auto done = run_stage(*data_, *control_, *set_, models, run);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::cancelled);
    EXPECT_EQ(rows("select title from _tool_t_issues"), "one");
    stage();
    EXPECT_EQ(rows("select title from issues"), "two");
}

TEST_F(EngineTest, ManyMalformedPayloadsDoNotStopTheRun) {
    if (!set_) load();
    sql("insert into _raw_t_issues (id, params, data, _tarn_item, _tarn_changed) select i, " +
        text_literal(params(1)) +
        ", case when i % 2 = 0 then '{\"id\":\"x' || i || '\"}' else '{\"id\":' || i || ',\"title\":\"t\"}' "
        "end, i::varchar, timestamp '2020-01-01' from range(1, 20001) t(i)");
    stage();
    EXPECT_EQ(rows("select count(*) from issues"), "10000");
    EXPECT_EQ(rows("select count(*) from _tarn_rejects"), "10000");
}

// A batch is 500 rows here, the least there is.
class BatchTest : public EngineTest {
  protected:
    void SetUp() override {
        EngineTest::SetUp();
        data_ = DataFile::open(":memory:", {.batch_bytes = 1000}).value();
        ASSERT_TRUE(data_->ensure(schema_));
    }
    // Issue i of user i % 7, whom each issue calls by another name; every third has a label.
    void collected(const std::string& numbers, const std::string& title) {
        std::string stamp = "timestamp '" + format_sql(control_->next_stamp().value()) + "'";
        sql("delete from _raw_t_issues where id in (select i from " + numbers + ")");
        sql("insert into _raw_t_issues (id, params, data, _tarn_item, _tarn_changed) select i, " +
            text_literal(params(1)) + ", to_json({'id': i, 'title': '" + title +
            "' || i, 'user': {'id': i % 7, 'login': 'of' || i}, "
            "'labels': case when i % 3 = 0 then [{'name': 'x'}] else [] end})::varchar, i::varchar, " +
            stamp + " from " + numbers);
    }
};

TEST_F(BatchTest, ManyGiveTheRowsOfOne) {
    collected("range(1, 3001) t(i)", "old");
    stage();
    EXPECT_EQ(rows("select count(*), count(*) filter (title = 'old' || id) from _tool_t_issues"),
              "3000|3000");
    EXPECT_EQ(rows("select count(*), count(*) filter (title = 'old' || split_part(id, ':', 3)) from issues"),
              "3000|3000");
    EXPECT_EQ(rows("select count(*) from issue_labels"), "1000");
    const std::string last = "0|of2996;1|of2997;2|of2998;3|of2999;4|of3000;5|of2994;6|of2995";
    EXPECT_EQ(rows("select id, login from _tool_t_users order by 1"), last) << "the highest raw row wins";
    EXPECT_EQ(written(stage(1, true)), 0) << "a full pass over equal rows";

    collected("range(5, 3001, 5) t(i)", "new");
    stage();
    EXPECT_EQ(rows("select count(*), count(*) filter (title like 'new%') from issues"), "3000|600");
    EXPECT_EQ(rows("select count(*) from issue_labels"), "1000");
    EXPECT_EQ(rows("select id, login from _tool_t_users order by 1"), last);
}

class CastTest : public EngineTest {
    void write_models() override {
        model("issues", R"(-- subtask: Extract Issues
-- from: _raw_t_issues r
-- rows: _tool_t_issues
select r.origin, 1 as connection_id, r.j.title::bigint as id, 1 as repo_id from _raw_t_issues r)");
    }
};

TEST_F(CastTest, AValueThatCannotBeCastIsFoundAndPutAside) {
    for (int i = 1; i <= 40; ++i) raw(i, issue(i, i == 17 || i == 30 ? "word" : std::to_string(i)));
    auto counts = stage();
    EXPECT_EQ(rows("select count(*) from _tool_t_issues"), "38");
    EXPECT_EQ(rows("select string_agg(raw_id, ',' order by raw_id) from _tarn_rejects"), "17,30");
}

class LookupTest : public EngineTest {
    void write_models() override {
        model("issues", R"(-- subtask: Extract Issues
-- from: _raw_t_issues r
-- rows: _tool_t_issues
-- new: _tool_t_users
select r.origin, 1 as connection_id, r.j.id as id, 1 as repo_id, (select max(u.login) from _tool_t_users u where u.id = r.j.user.id) as title from _raw_t_issues r)");
    }
};

TEST_F(LookupTest, NewRowsOfALookupRunTheModelInFullOthersDoNot) {
    raw(1, issue(11, "x", "", 7));
    stage();
    EXPECT_EQ(rows("select title from _tool_t_issues"), "-");
    sql("insert into _tool_t_users (connection_id, id, repo_id, login, created_at, updated_at) values (1, 7, "
        "1, 'seven', '2100-01-01', '2100-01-01')");
    stage();
    EXPECT_EQ(rows("select title from _tool_t_issues"), "seven");
    sql("update _tool_t_users set login = 'other', created_at = '2020-01-01'");
    EXPECT_EQ(written(stage()), 0);
}

class BrokenTest : public EngineTest {
  protected:
    void write_models() override {}
    std::string load_error() {
        auto loaded = ModelSet::load(around());
        return loaded ? "loaded" : loaded.error().text();
    }
    const std::string header_ = "-- subtask: S\n-- from: _raw_t_issues r\n-- rows: _tool_t_issues\n";
};

TEST_F(BrokenTest, MistakesAreNamedWithFileAndLine) {
    model("a", header_ + "select r.origin, 1 as connection_id,\n  r.j.nothing as id\nfrom _raw_t_issues r");
    EXPECT_THAT(load_error(), ::testing::HasSubstr("a.sql:5:"));
    model("a", header_ + "select r.origin, 1 as connection_id, $who as id from _raw_t_issues r");
    EXPECT_THAT(load_error(),
                ::testing::AllOf(::testing::HasSubstr("a.sql:4"), ::testing::HasSubstr("unknown input $who"),
                                 ::testing::HasSubstr("$repoId")));
    model("a", header_ + "select r.origin, 1 as connection_id, 2 as id, 3 as nope from _raw_t_issues r");
    EXPECT_THAT(load_error(), ::testing::HasSubstr("column 'nope'"));
    model("a", "-- subtask: S\n-- frm: x\nselect 1");
    EXPECT_THAT(load_error(),
                ::testing::AllOf(::testing::HasSubstr("a.sql:2"), ::testing::HasSubstr("unknown key 'frm'")));
    model("a", header_ + "select r.origin, 1 as connection_id from _raw_t_issues r");
    EXPECT_THAT(load_error(), ::testing::HasSubstr("key column 'id'"));
    model("a", header_ + "selct 1 from _raw_t_issues r");
    EXPECT_THAT(load_error(), ::testing::HasSubstr("a.sql:4"));
    model("a", header_ + "select 1 as connection_id, 2 as id from _raw_t_issues r");
    EXPECT_THAT(load_error(), ::testing::HasSubstr("no 'origin'"));
}

TEST_F(BrokenTest, ACycleNamesBothFiles) {
    model("a",
          "-- subtask: S\n-- from: _tool_t_issues i\n-- rows: _tool_t_users\nselect i.origin, "
          "i.connection_id, i.id from _tool_t_issues i");
    model("b",
          "-- subtask: S\n-- from: _tool_t_users i\n-- rows: _tool_t_issues\nselect i.origin, "
          "i.connection_id, i.id from _tool_t_users i");
    EXPECT_THAT(load_error(), ::testing::AllOf(::testing::HasSubstr("a.sql"), ::testing::HasSubstr("b.sql"),
                                               ::testing::HasSubstr("wait for each other")));
}

}  // namespace
}  // namespace tarn::model
