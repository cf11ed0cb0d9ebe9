// Models that own rows of their target by a condition, as metrics do.
#include "model/engine_fixture.h"

namespace tarn::model {
namespace {

class OwnedRows : public EngineTest {
  protected:
    void write_models() override {
        model("counts", R"(-- subtask: Count Issues
-- from: issues i
-- rows: accounts
-- scope: true
-- owns: starts_with(t.id, 'count:')
select max(i.origin) as origin, 'count:' || i.kind as id, count(*)::varchar as name from issues i where i.kind is not null group by i.kind)");
    }
    void issue_row(const std::string& id, const std::string& kind) {
        sql("insert into issues (id, title, kind, updated_at, _raw_data_params, _raw_data_table, "
            "_raw_data_id) values ('" +
            id + "', 'x', '" + kind + "', timestamp '" + format_sql(control_->next_stamp().value()) +
            "', 'other', '_raw_other', 1)");
    }
    std::string counts() { return rows("select id, name from accounts order by id"); }
};

TEST_F(OwnedRows, WhatTheSelectNoLongerYieldsGoesAndOthersStay) {
    sql("insert into accounts (id, name) values ('somebody', 'stays'), ('count:OLD', '9')");
    issue_row("a", "BUG");
    issue_row("b", "BUG");
    stage();
    EXPECT_EQ(counts(), "count:BUG|2;somebody|stays");
    sql("update issues set kind = 'TASK', updated_at = timestamp '" +
        format_sql(control_->next_stamp().value()) + "' where id = 'b'");
    stage();
    EXPECT_EQ(counts(), "count:BUG|1;count:TASK|1;somebody|stays");
}

TEST_F(OwnedRows, NothingNewWritesNothing) {
    issue_row("a", "BUG");
    stage();
    EXPECT_EQ(written(stage()), 0);
    EXPECT_EQ(written(stage(1, true)), 0);
}

TEST_F(OwnedRows, RowsDeletedByAnotherScopeAreNoticed) {
    issue_row("a", "BUG");
    load();
    auto all = around();
    all.all_scopes = true;
    all.scope_columns.clear();
    set_ = std::make_unique<ModelSet>(ModelSet::load(all).value());
    stage();
    sql("delete from issues");
    sql("insert into _tarn_gone values ('issues', 'other', '_raw_other', 1, 'a', timestamp '" +
        format_sql(control_->next_stamp().value()) + "')");
    stage();
    EXPECT_EQ(counts(), "");
}

TEST_F(OwnedRows, AConditionThatDoesNotBindIsNamed) {
    model("counts", R"(-- subtask: Count Issues
-- from: issues i
-- rows: accounts
-- scope: true
-- owns: t.nothing = 1
select i.origin, i.id, i.title as name from issues i)");
    auto loaded = ModelSet::load(around());
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().message.find("'owns'"), std::string::npos) << loaded.error().text();
    EXPECT_NE(loaded.error().message.find("nothing"), std::string::npos);
}

// A connector writes its rows anew and knows nothing of what a metric filled in.
TEST_F(OwnedRows, ColumnsOfAnotherSetStay) {
    model("counts", R"(-- subtask: Copy
-- from: accounts a
-- rows: issues
-- scope: true
select a.origin, a.id, a.name as title from accounts a)");
    load();
    std::filesystem::create_directories(folder_ / "other");
    model("other/rank", R"(-- subtask: Rank
-- from: issues i
-- update: issues set (rank)
-- scope: true
select i.id, 5 as rank from issues i)");
    auto other = around();
    other.folders = {(folder_ / "other").string()};
    set_->respect(ModelSet::load(other).value());
    auto write = [&](const std::string& name) {
        sql("delete from accounts");
        sql("insert into accounts (id, name, updated_at) values ('a', '" + name + "', timestamp '" +
            format_sql(control_->next_stamp().value()) + "')");
    };
    write("before");
    stage();
    sql("update issues set rank = 5");
    write("after");
    stage(1, true);
    EXPECT_EQ(rows("select id, title, rank from issues"), "a|after|5");
}

}  // namespace
}  // namespace tarn::model
