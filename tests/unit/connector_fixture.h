// A source inside the test process, both stores in memory, and connectors to collect from the one into the others.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connector/collect.h"
#include "connector/connector.h"
#include "unit/http_server.h"
#include "unit/store_fixture.h"

namespace tarn::connector {

using httplib::Request;
using Answer = httplib::Response;

// Answers every request by one function and remembers what was asked: "GET /path?query" or "POST /path body".
class FakeSource {
  public:
    FakeSource() {
        auto handle = [this](const Request& request, Answer& response) {
            {
                std::lock_guard lock(mutex_);
                asked_.push_back(request.method + " " + request.target +
                                 (request.body.empty() ? "" : " " + request.body));
            }
            answer(request, response);
        };
        server_.server.Get(".*", handle).Post(".*", handle);
    }

    std::function<void(const Request&, Answer&)> answer;

    [[nodiscard]] std::string url(const std::string& path = "/") const { return server_.url(path); }
    std::vector<std::string> asked() {
        std::lock_guard lock(mutex_);
        return asked_;
    }
    // Since the last call; sorted, for what is asked in parallel.
    std::vector<std::string> newly_asked() {
        std::lock_guard lock(mutex_);
        std::vector<std::string> out = std::move(asked_);
        asked_.clear();
        std::ranges::sort(out);
        return out;
    }

  private:
    http::TestServer<> server_;
    std::mutex mutex_;
    std::vector<std::string> asked_;
};

inline void send_json(Answer& response, const std::string& body, int status = 200) {
    response.status = status;
    response.set_content(body, "application/json");
}

inline int param(const Request& request, const std::string& name, int otherwise) {
    return request.has_param(name.c_str()) ? std::stoi(request.get_param_value(name.c_str())) : otherwise;
}

// {"id": n} joined, from `first` to `last`.
inline std::string numbered(int first, int last) {
    std::string out;
    for (int n = first; n <= last; ++n)
        out += (out.empty() ? "" : ", ") + ("{\"id\": " + std::to_string(n) + "}");
    return out;
}

class CollectTest : public testing::Test {
  protected:
    void SetUp() override {
        Schema schema = tarn_schema();
        ASSERT_TRUE(good(schema.parse_file(repository_file("schema/framework.sql"))));
        data_ = open_data(":memory:");
        control_ = open_control(":memory:", schema);
        ASSERT_TRUE(good(data_->ensure(schema)));
        client_ = http::opened(http::quick_options());
    }

    // One of tests/connectors.
    void use(const std::string& name) {
        auto loaded = load_connector(repository_file("tests/connectors/" + name));
        ASSERT_TRUE(good(loaded));
        connector_ = std::move(*loaded);
        make_tables();
    }

    // A connector `demo` of the given streams, with the options owner ("a b/c") and the data table demo(id, version, state).
    void declare(const std::string& streams) {
        std::filesystem::create_directories(folder_.file("demo"));
        std::ofstream(folder_.file("demo/connector.yaml")) << R"(
name: demo
title: Demo
connection: {table: _tool_demo_connections, fields: {endpoint: {kind: url}}}
scope: {table: _tool_demo_scopes, id: owner, params: {Owner: owner}, options: {owner: owner}}
subtasks: [Collect: CODE]
streams:
)" << streams;
        std::ofstream(folder_.file("demo/tables.sql")) << R"(
create table _tool_demo_connections (id bigint not null, endpoint text, primary key (id));
create table _tool_demo_scopes (owner varchar(255) not null, primary key (owner));
create table demo (id bigint not null, version varchar(255), state varchar(255), primary key (id));
)";
        auto loaded = load_connector(folder_.file("demo"));
        ASSERT_TRUE(good(loaded));
        connector_ = std::move(*loaded);
        options_ = {{"owner", "a b/c"}};
        make_tables();
    }

    void make_tables() {
        Schema schema;
        for (const auto& table : connector_.tables) schema.add(table);
        ASSERT_TRUE(good(data_->ensure(schema)));
    }

    CollectTask task(const std::string& stream) {
        CollectTask task;
        task.connector = &connector_;
        task.stream = connector_.stream(stream);
        EXPECT_NE(task.stream, nullptr) << stream;
        task.options = options_;
        task.params = "{}";
        task.endpoint = source_.url();
        task.broken_pause = 2;
        task.full_sync = full_sync_;
        task.time_after = time_after_;
        task.now = now_;
        task.bind = [this](const std::string& sql) -> Result<std::string> {
            std::string out = sql;
            for (const auto& [name, value] : options_)
                out = replaced(std::move(out), "$" + name, sql_text(value));
            return out;
        };
        return task;
    }

    Result<CollectSummary> collect_from(const std::string& stream) {
        return collect(task(stream), *client_, *data_, *control_);
    }

    // "seen/added/changed/gone, requests" of a collection that must succeed.
    std::string run(const std::string& stream) {
        auto summary = collect_from(stream);
        if (!summary) return summary.error().text();
        const RawCounts& rows = summary->rows;
        return std::to_string(rows.seen) + "/" + std::to_string(rows.added) + "/" +
               std::to_string(rows.changed) + "/" + std::to_string(rows.gone) + ", " +
               std::to_string(summary->requests) + (summary->complete ? " complete" : "");
    }

    std::string raw(const std::string& table, const std::string& columns = "data") {
        return rows_of(*data_, "select " + columns + " from " + table + " order by id");
    }
    std::string ids(const std::string& table) {
        return rows_of(*data_, "select string_agg(data ->> '$.id', ' ' order by id) from " + table);
    }
    std::string state(const std::string& column) {
        auto rows = control_->query("select " + column + " from _devlake_collector_latest_state");
        return rows && !rows->rows.empty() ? rows->text(0, column) : "none";
    }
    void set_state(const std::string& raw_table, const std::string& time) {
        ASSERT_TRUE(
            good(control_->run("insert into _devlake_collector_latest_state (raw_data_params, "
                               "raw_data_table, latest_success_start, "
                               "created_at, updated_at) values ('{}', ?, ?, ?, ?)",
                               {raw_table, time, time, time})));
    }

    FakeSource source_;
    TestFolder folder_;
    std::unique_ptr<DataFile> data_;
    std::unique_ptr<ControlStore> control_;
    std::unique_ptr<http::Client> client_;
    Connector connector_;
    std::map<std::string, std::string> options_;
    bool full_sync_ = false;
    Millis time_after_ = 0;
    Millis now_ = 0;
};

}  // namespace tarn::connector
