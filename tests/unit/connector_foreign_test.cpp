// The connectors of tests/connectors: sources of other kinds, declared only.
#include "http/auth.h"
#include "unit/connector_fixture.h"

namespace tarn::connector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Foreign : public CollectTest {};

std::string with_key(int first, int last) {
    std::string out;
    for (int n = first; n <= last; ++n) {
        out += (out.empty() ? "" : ", ") +
               ("{\"id\": \"" + std::to_string(n) + "\", \"key\": \"T-" + std::to_string(n) + "\"}");
    }
    return out;
}

TEST_F(Foreign, TrackrIssuesByOffsetAndQueryLanguage) {
    use("trackr");
    options_ = {{"connectionId", "1"}, {"boardId", "8"}, {"project", "T"}};
    source_.answer = [&](const Request& request, Answer& response) {
        int start = param(request, "startAt", -1);
        send_json(response, "{\"startAt\": " + std::to_string(start) + ", \"total\": 7, \"issues\": [" +
                                with_key(start + 1, std::min(start + 3, 7)) + "]}");
    };
    EXPECT_EQ(run("issues"), "7/7/0/0, 3 complete");
    EXPECT_EQ(ids("_raw_trackr_api_issues"), "1 2 3 4 5 6 7");
    EXPECT_EQ(
        source_.newly_asked()[0],
        "GET "
        "/agile/1.0/board/8/issue?expand=changelog&jql=ORDER%20BY%20created%20ASC&maxResults=3&startAt=0");
    ASSERT_TRUE(good(control_->run(
        "update _devlake_collector_latest_state set latest_success_start = '2024-05-06 07:08:09.000'")));
    EXPECT_EQ(run("issues"), "7/0/0/0, 3");
    EXPECT_THAT(
        source_.newly_asked()[0],
        HasSubstr("jql=updated%20%3E%3D%20%272024%2F05%2F05%2007%3A08%27%20ORDER%20BY%20created%20ASC&"));
}

TEST_F(Foreign, TrackrEpicsByPostWithATokenInTheBody) {
    use("trackr");
    options_ = {{"connectionId", "1"}, {"boardId", "8"}, {"project", "T\"1"}};
    source_.answer = [&](const Request& request, Answer& response) {
        bool second = request.body.find("page two") != std::string::npos;
        // The last page gives a token, too: `more` decides.
        send_json(response, second ? "{\"issues\": [" + with_key(3, 3) +
                                         "], \"nextPageToken\": \"x\", \"hasMore\": false}"
                                   : "{\"issues\": [" + with_key(1, 2) +
                                         "], \"nextPageToken\": \"page two\", \"hasMore\": true}");
    };
    EXPECT_EQ(run("epics"), "3/3/0/0, 2 complete");
    EXPECT_THAT(
        source_.asked(),
        ElementsAre(
            R"(POST /api/3/search/jql {"jql":"project = 'T\"1' and updated >= 978307200000","maxResults":2,"fields":["*all"]})",
            R"(POST /api/3/search/jql {"jql":"project = 'T\"1' and updated >= 978307200000","maxResults":2,"nextPageToken":"page two","fields":["*all"]})"));
}

TEST_F(Foreign, TrackrWorklogsBelowIssues) {
    use("trackr");
    options_ = {{"connectionId", "1"}, {"boardId", "8"}, {"project", "T"}};
    ASSERT_TRUE(good(
        run_in(*data_,
               "insert into _tool_trackr_issues (connection_id, id, board_id, updated) values "
               "(1, 11, 8, timestamp '2024-01-01'), (1, 12, 8, timestamp '2024-01-01'), (1, 13, 9, null)")));
    source_.answer = [&](const Request& request, Answer& response) {
        if (request.path == "/api/2/issue/12/worklog") return send_json(response, "{}", 404);
        int page = param(request, "page", -1);
        auto log = [](int n) {
            return "{\"id\": " + std::to_string(n) + ", \"author\": {\"name\": \"ann\"}}";
        };
        send_json(response, "{\"worklogs\": [" + log(2 * page + 1) + (page == 0 ? ", " + log(2) : "") + "]}");
    };
    EXPECT_EQ(run("worklogs"), "3/3/0/0, 3");
    EXPECT_EQ(raw("_raw_trackr_api_worklogs", "_tarn_item"),
              "{\"issue_id\":11}\nann:1\n{\"issue_id\":11}\nann:2\n{\"issue_id\":11}\nann:3");
    EXPECT_EQ(run("worklogs"), "0/0/0/0, 0");
}

TEST_F(Foreign, BitbarnListsByTheNextUrl) {
    use("bitbarn");
    options_ = {{"connectionId", "1"}, {"fullName", "team/repo"}};
    ASSERT_TRUE(good(run_in(
        *data_,
        "insert into _tool_bitbarn_pull_requests (repo, number) values ('team/repo', 1), ('team/repo', 2)")));
    ASSERT_TRUE(good(
        run_in(*data_, "insert into _tool_bitbarn_pipelines (repo, uuid) values ('team/repo', '{ab-c}')")));
    source_.answer = [&](const Request& request, Answer& response) {
        std::string next = "\"next\": \"https://api.bitbarn.example" + request.path + "?page=zwei&x=%7B\"";
        bool second = request.get_param_value("page") == "zwei";
        if (request.path.ends_with("/steps/")) return send_json(response, R"({"values": [{"uuid": "{s}"}]})");
        if (request.path.ends_with("/comments")) {
            std::string id = request.path.find("/1/") != std::string::npos ? "1" : "2";
            return send_json(response, "{\"values\": [{\"id\": " + id + (second ? "9" : "0") + "}]" +
                                           (second ? "}" : ", " + next + "}"));
        }
        auto item = [](int n, const std::string& state) {
            return "{\"id\": " + std::to_string(n) + ", \"type\": \"pullrequest\", \"state\": \"" + state +
                   "\"}";
        };
        send_json(response, second ? "{\"values\": [" + item(3, "MERGED") + "]}"
                                   : "{\"values\": [" + item(1, "OPEN") + "," + item(2, "DECLINED") + "], " +
                                         next + "}");
    };
    EXPECT_EQ(run("pull_requests"), "2/2/0/0, 2 complete");
    EXPECT_EQ(ids("_raw_bitbarn_api_pull_requests"), "1 3");
    EXPECT_THAT(source_.newly_asked(),
                ElementsAre("GET /repositories/team/repo/pullrequests?page=zwei&x=%7B",
                            "GET "
                            "/repositories/team/repo/"
                            "pullrequests?state=OPEN&state=MERGED&pagelen=2&fields=values.id%2Cnext"));
    EXPECT_EQ(run("comments"), "4/4/0/0, 4 complete");
    EXPECT_EQ(ids("_raw_bitbarn_api_comments"), "10 19 20 29");
    source_.newly_asked();
    EXPECT_EQ(run("steps"), "1/1/0/0, 1 complete");
    EXPECT_THAT(source_.newly_asked(),
                ElementsAre("GET /repositories/team/repo/pipelines/%7Bab-c%7D/steps/"));
}

TEST_F(Foreign, BeeperIncidentsNewestFirstWithUnfinishedOnes) {
    use("beeper");
    options_ = {{"connectionId", "1"}, {"serviceId", "PX"}};
    auto options = http::quick_options();
    options.auth = http::header_auth("Authorization", "Token token=", {"secret"});
    client_ = http::opened(std::move(options));
    set_state("_raw_beeper_incidents", "2024-01-05 00:00:00.000");
    ASSERT_TRUE(good(run_in(*data_,
                            "insert into _tool_beeper_incidents (service_id, number, id, status) values "
                            "('PX', 2, 'Q2', 'triggered'), ('PX', 8, 'Q8', 'triggered')")));
    source_.answer = [&](const Request& request, Answer& response) {
        if (request.get_header_value("Authorization") != "Token token=secret")
            return send_json(response, "{}", 401);
        auto item = [](int n) {
            std::string text = std::to_string(n);
            return "{\"id\": \"Q" + text + "\", \"number\": " + text + ", \"created_at\": \"2024-01-0" +
                   text + "T00:00:00Z\"}";
        };
        if (request.path != "/incidents")
            return send_json(response, "{\"incident\": " + item(std::stoi(request.path.substr(11))) + "}");
        int top = 8 - param(request, "offset", 0);
        send_json(response, "{\"incidents\": [" + item(top) + ", " + item(top - 1) +
                                "], \"more\": " + (top > 2 ? "true" : "false") + "}");
    };
    EXPECT_EQ(run("incidents"), "5/5/0/0, 4");
    EXPECT_EQ(ids("_raw_beeper_incidents"), "Q8 Q7 Q6 Q5 Q2");
    EXPECT_THAT(source_.newly_asked()[0], "GET /incidents/2");
}

TEST_F(Foreign, BeeperDeploysByGraphQl) {
    use("beeper");
    options_ = {{"connectionId", "1"}, {"serviceId", "PX"}};
    source_.answer = [&](const Request& request, Answer& response) {
        if (request.get_header_value("X-Service") != "PX") return send_json(response, "{}", 400);
        bool second = request.body.find("\"after\":\"c1\"") != std::string::npos;
        send_json(response,
                  std::string(R"({"data": {"service": {"deploys": {"pageInfo": {"endCursor": )") +
                      (second ? R"("c2", "hasNextPage": false}, "nodes": [{"id": "D3"}]}}}})"
                              : R"("c1", "hasNextPage": true}, "nodes": [{"id": "D1"}, {"id": "D2"}]}}}})"));
    };
    EXPECT_EQ(run("deploys"), "3/3/0/0, 2 complete");
    EXPECT_EQ(ids("_raw_beeper_deploys"), "D1 D2 D3");
    EXPECT_THAT(source_.asked()[0], HasSubstr(R"(nodes { id sha } } } }","variables":{"id":"PX","n":2}})"));
    source_.answer = [](const Request&, Answer& response) {
        send_json(response, R"({"data": {"service": null}, "errors": [{"message": "gone"}]})");
    };
    EXPECT_THAT(run("deploys"), HasSubstr("\"errors\": [{\"message\": \"gone\"}]"));
}

}  // namespace
}  // namespace tarn::connector
