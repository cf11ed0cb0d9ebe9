// A small world for engine tests: one raw table, three tool tables, three domain tables and models over them.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "model/engine.h"

namespace tarn::model {

class EngineTest : public ::testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("tarn-engine-" + std::to_string(::getpid()) + "-" +
                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::create_directories(folder_);
        const std::string tables = R"(
            create table _tool_t_issues (
                connection_id bigint not null, id bigint not null, repo_id bigint, title varchar(20), kind text, closed datetime, extra text,
                primary key (connection_id, id)
            ) origin;
            create table _tool_t_labels (
                connection_id bigint not null, issue_id bigint not null, name varchar(255) not null, primary key (connection_id, issue_id, name)
            ) origin;
            create table _tool_t_users (
                connection_id bigint not null, id bigint not null, repo_id bigint, login text, primary key (connection_id, id)
            ) origin shared;
            create table issues (id varchar(255) not null, title text, kind text, rank bigint, primary key (id)) origin;
            create table issue_labels (issue_id varchar(255) not null, label_name varchar(255) not null, primary key (issue_id, label_name)) origin;
            create table accounts (id varchar(255) not null, name text, primary key (id)) origin shared;
            create table _tarn_model_states (model varchar(255) not null, params varchar(255) not null, since datetime, inputs_hash varchar(64),
                updated_at datetime, primary key (model, params)) control;
            create table _tarn_stamps (name varchar(255) not null, stamp bigint not null, primary key (name)) control;
            create table _tarn_rejects (raw_table varchar(255) not null, raw_id ubigint, params varchar(255), model varchar(255), path varchar(255), reason text, created_at datetime);
            create table _tarn_gone (table_name varchar(255) not null, params varchar(255), raw_table varchar(255), raw_id ubigint, key text, stamp datetime not null);
        )";
        auto parsed = schema_.parse(tables, "test.sql");
        ASSERT_TRUE(parsed) << parsed.error().text();
        schema_.add(Schema::raw_table("_raw_t_issues"));
        control_ = open_sqlite(":memory:").value();
        data_ = DataFile::open(":memory:", {}).value();
        ASSERT_TRUE(control_->ensure(schema_));
        ASSERT_TRUE(data_->ensure(schema_));
        write_models();
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    virtual void write_models() {
        model("issues", R"(-- subtask: Extract Issues
-- from: _raw_t_issues r
-- rows: _tool_t_issues
select r.origin, $connectionId as connection_id, r.j.id, $repoId as repo_id, r.j.title,
       case when regexp_matches(r.j.title, $bug) then 'BUG' end as kind, r.j.closed
from _raw_t_issues r)");
        model("labels", R"(-- subtask: Extract Issues
-- from: _raw_t_issues r
-- children: _tool_t_labels by (connection_id, issue_id)
select r.origin, $connectionId as connection_id, r.j.id as issue_id, l.name
from _raw_t_issues r left join lateral (select unnest(r.j.labels, recursive := true)) as l(name) on true)");
        model("users", R"(-- subtask: Extract Issues
-- from: _raw_t_issues r
-- rows: _tool_t_users
select r.origin, $connectionId as connection_id, r.j.user.id as id, $repoId as repo_id, r.j.user.login as login
from _raw_t_issues r where r.j.user.id is not null)");
        model("domain_issues", R"(-- subtask: Convert Issues
-- from: _tool_t_issues i
-- rows: issues
select i.origin, 't:' || i.connection_id || ':' || i.id as id, i.title, i.kind from _tool_t_issues i)");
        model("domain_labels", R"(-- subtask: Convert Issues
-- from: _tool_t_labels l
-- rows: issue_labels
-- scope: l.issue_id in (select id from _tool_t_issues where connection_id = $connectionId and repo_id = $repoId)
select l.origin, 't:' || l.connection_id || ':' || l.issue_id as issue_id, l.name as label_name from _tool_t_labels l)");
        model("domain_accounts", R"(-- subtask: Convert Issues
-- from: _tool_t_users u
-- rows: accounts
select u.origin, 't:' || u.connection_id || ':' || u.id as id, u.login as name from _tool_t_users u)");
        model("rank", R"(-- subtask: Rank Issues
-- from: issues i
-- update: issues set (rank)
-- scope: i._raw_data_params = $params
select i.id, length(i.title) as rank from issues i)");
    }

    void model(const std::string& name, const std::string& text) {
        std::ofstream(folder_ / (name + ".sql")) << text << "\n";
    }

    Surroundings around() {
        Surroundings around;
        around.name = "t";
        around.folders = {folder_.string()};
        around.schema = &schema_;
        Shape label;
        label.fields = {{"name", leaf(Shape::Kind::varchar)}};
        Shape labels;
        labels.kind = Shape::Kind::list;
        labels.element = {label};
        Shape user;
        user.fields = {{"id", leaf(Shape::Kind::bigint)}, {"login", leaf(Shape::Kind::varchar)}};
        Shape item;
        item.fields = {{"id", leaf(Shape::Kind::bigint)},
                       {"title", leaf(Shape::Kind::varchar)},
                       {"closed", leaf(Shape::Kind::time)},
                       {"labels", labels},
                       {"user", user}};
        around.raw["_raw_t_issues"] = {item, {}};
        around.scope_columns = {{"connection_id", "connectionId"}, {"repo_id", "repoId"}};
        around.sample_inputs = inputs(1);
        return around;
    }

    static Shape leaf(Shape::Kind kind) {
        Shape shape;
        shape.kind = kind;
        return shape;
    }

    Inputs inputs(int repo) const {
        return {{"connectionId", "1"},
                {"repoId", std::to_string(repo)},
                {"bug", text_literal(bug_)},
                {"params", text_literal(params(repo))}};
    }
    static std::string params(int repo) {
        return "{\"ConnectionId\":1,\"Repo\":" + std::to_string(repo) + "}";
    }

    void load() {
        auto loaded = ModelSet::load(around());
        ASSERT_TRUE(loaded) << loaded.error().text();
        set_ = std::make_unique<ModelSet>(std::move(*loaded));
        auto prepared =
            data_->exclusive([&](duck::Connection& connection) { return set_->prepare(connection); });
        ASSERT_TRUE(prepared) << prepared.error().text();
    }

    StageCounts stage(int repo = 1, bool full = false) {
        if (!set_) load();
        std::vector<const Model*> models;
        for (const auto& model : set_->models()) models.push_back(&model);
        ScopeRun run;
        run.inputs = inputs(repo);
        run.params = params(repo);
        run.full = full;
        auto done = run_stage(*data_, *control_, *set_, models, run);
        EXPECT_TRUE(done) << done.error().text();
        return done ? *done : StageCounts{};
    }

    std::int64_t written(const StageCounts& counts) {
        std::int64_t sum = 0;
        for (const auto& [id, count] : counts) sum += count.added + count.changed + count.deleted;
        return sum;
    }

    // What a collector would do: one raw row, new or changed.
    void raw(int id, const std::string& payload, int repo = 1) {
        std::string stamp = "timestamp '" + format_sql(control_->next_stamp().value()) + "'";
        sql("delete from _raw_t_issues where id = " + std::to_string(id));
        sql("insert into _raw_t_issues (id, params, data, created_at, _tarn_item, _tarn_changed) values (" +
            std::to_string(id) + ", " + text_literal(params(repo)) + ", " + text_literal(payload) + ", " +
            stamp + ", '" + std::to_string(id) + "', " + stamp + ")");
    }
    void raw_gone(int id, int repo = 1) {
        sql("delete from _raw_t_issues where id = " + std::to_string(id));
        sql("insert into _tarn_gone values ('_raw_t_issues', " + text_literal(params(repo)) +
            ", '_raw_t_issues', " + std::to_string(id) + ", '', timestamp '" +
            format_sql(control_->next_stamp().value()) + "')");
    }
    static std::string issue(int id, const std::string& title, const std::string& labels = "", int user = 7) {
        return R"({"id":)" + std::to_string(id) + R"(,"title":")" + title + R"(","labels":[)" + labels +
               R"(],"user":{"id":)" + std::to_string(user) + R"(,"login":"user)" + std::to_string(user) +
               R"("}})";
    }
    static std::string label(const std::string& name) { return R"({"name":")" + name + R"("})"; }

    void sql(const std::string& statement) {
        auto done = data_->write([&](duck::Connection& connection) -> Result<> {
            TARN_TRY(connection.run(statement));
            return {};
        });
        ASSERT_TRUE(done) << done.error().text();
    }
    // Rows as "a|b;c|d", in the order of the query.
    std::string rows(const std::string& query) {
        auto reader = data_->reader().value();
        auto found = reader->query(query);
        if (!found) return found.error().text();
        std::string out;
        for (const auto& row : found->rows) {
            if (!out.empty()) out += ";";
            for (std::size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : "|") + row[i].value_or("-");
        }
        return out;
    }

    std::filesystem::path folder_;
    std::string bug_ = "bug";
    Schema schema_;
    std::unique_ptr<ControlStore> control_;
    std::unique_ptr<DataFile> data_;
    std::unique_ptr<ModelSet> set_;
};

}  // namespace tarn::model
