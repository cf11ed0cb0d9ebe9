// Each page kind's way through a list, and where it ends: the requests are counted.
#include "unit/connector_fixture.h"

namespace tarn::connector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Pages : public CollectTest {};

TEST_F(Pages, LinkWithLastIsReadInParallelAndKeepsTheOrder) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: "things/{owner}"
    query: {per_page: 2}
    page: {kind: link}
    key: [id]
    item: {id: bigint}
)");
    std::atomic<int> under_way = 0;
    std::atomic<int> most = 0;
    source_.answer = [&](const Request& request, Answer& response) {
        int now = ++under_way;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        int page = param(request, "page", 1);
        // The later the page, the sooner its answer.
        std::this_thread::sleep_for(std::chrono::milliseconds(60 - 5 * page));
        std::string base = source_.url("/things/elsewhere?per_page=2&page=");
        if (page < 9)
            response.set_header("Link", "<" + base + std::to_string(page + 1) + ">; rel=\"next\", <" + base +
                                            "9>; rel=\"last\"");
        send_json(response, "[" + numbered(2 * page - 1, page == 9 ? 17 : 2 * page) + "]");
        --under_way;
    };
    EXPECT_EQ(run("things"), "17/17/0/0, 9 complete");
    EXPECT_EQ(ids("_raw_demo_things"), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17");
    EXPECT_GE(most.load(), 3);
    EXPECT_EQ(rows_of(*data_, "select min(id), max(id), min(url), count(input) from _raw_demo_things"),
              "1|17|" + source_.url("/things/a%20b/c?per_page=2") + "|0");
    source_.newly_asked();
    EXPECT_EQ(run("things"), "17/0/0/0, 9 complete");
    EXPECT_THAT(source_.newly_asked(), testing::Contains("GET /things/a%20b/c?per_page=2&page=7"));
}

TEST_F(Pages, LinkWithoutLastIsFollowedAtTheAskedHost) {
    declare(R"(
  things: {subtask: Collect, raw: _raw_demo_things, path: things, page: {kind: link}, item: {id: bigint}}
)");
    source_.answer = [&](const Request& request, Answer& response) {
        if (request.get_param_value("after") != "x") {
            response.set_header("Link",
                                "<https://elsewhere.example/things?after=x>; rel=\"next\", "
                                "<https://elsewhere.example/things?after=x&page=2>; rel=\"last\"");
        }
        send_json(response, "[{\"a\": 1}, 2, \"three\", [4]]");
    };
    EXPECT_EQ(run("things"), "8/8/0/0, 2 complete");
    EXPECT_THAT(source_.asked(), ElementsAre("GET /things", "GET /things?after=x"));
    EXPECT_EQ(raw("_raw_demo_things", "data, _tarn_item"),
              "{\"a\": 1}|1:0\n2|1:1\n\"three\"|1:2\n[4]|1:3\n{\"a\": 1}|2:0\n2|2:1\n\"three\"|2:2\n[4]|2:3");
}

TEST_F(Pages, PagesEndAtAShortOne) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: things
    page: {kind: page, param: p, size_param: n, size: 2}
    rows: data/items
    key: [id]
    keep: {kind: [a, b]}
    item: {id: bigint}
)");
    source_.answer = [&](const Request& request, Answer& response) {
        switch (param(request, "p", 0)) {
            case 1:
                return send_json(response,
                                 R"({"data": {"items": [{"id": 1, "kind": "a"}, {"id": 2, "kind": "x"}]}})");
            case 2: return send_json(response, R"({"data": {"items": [{"id": 3, "kind": "x"}, {"id": 4}]}})");
            default: return send_json(response, R"({"data": {"items": [{"id": 5, "kind": "b"}]}})");
        }
    };
    EXPECT_EQ(run("things"), "2/2/0/0, 3 complete");
    EXPECT_EQ(ids("_raw_demo_things"), "1 5");
    EXPECT_THAT(source_.asked(),
                ElementsAre("GET /things?n=2&p=1", "GET /things?n=2&p=2", "GET /things?n=2&p=3"));
}

TEST_F(Pages, ATotalInAHeaderOrInTheBodySparesTheLastRequest) {
    declare(R"(
  by_header: {subtask: Collect, raw: _raw_demo_a, path: h, page: {kind: page, param: page, total: X-Total-Pages, unit: pages}, key: [id], item: {id: bigint}}
  by_body: {subtask: Collect, raw: _raw_demo_b, path: b, page: {kind: offset, param: skip, size: 2, total: /total}, rows: /items, key: [id], item: {id: bigint}}
)");
    source_.answer = [&](const Request& request, Answer& response) {
        if (request.path == "/h") {
            int page = param(request, "page", 0);
            response.set_header("X-Total-Pages", "3");
            return send_json(response, "[" + numbered(2 * page - 1, 2 * page) + "]");
        }
        int skip = param(request, "skip", -1);
        send_json(response, "{\"items\": [" + numbered(skip + 1, std::min(skip + 2, 4)) + "], \"total\": 4}");
    };
    EXPECT_EQ(run("by_header"), "6/6/0/0, 3 complete");
    EXPECT_EQ(run("by_body"), "4/4/0/0, 2 complete");
    EXPECT_EQ(ids("_raw_demo_a"), "1 2 3 4 5 6");
    EXPECT_EQ(ids("_raw_demo_b"), "1 2 3 4");
}

TEST_F(Pages, CursorsEndWhereNoneIsGivenAndMayNotRepeat) {
    declare(R"(
  in_body: {subtask: Collect, raw: _raw_demo_a, path: b, page: {kind: cursor, param: token, next: /meta/next}, rows: /items, key: [id], item: {id: bigint}}
  in_header: {subtask: Collect, raw: _raw_demo_b, path: h, page: {kind: cursor, param: token, next: X-Next}, key: [id], item: {id: bigint}}
  repeated: {subtask: Collect, raw: _raw_demo_c, path: r, page: {kind: cursor, param: token, next: /next}, rows: /items, key: [id], item: {id: bigint}}
)");
    source_.answer = [&](const Request& request, Answer& response) {
        std::string token = request.get_param_value("token");
        if (request.path == "/h") {
            if (token.empty()) response.set_header("X-Next", "a&b");
            return send_json(response, token.empty() ? "[{\"id\": 1}]" : "[{\"id\": 2}]");
        }
        if (request.path == "/r") return send_json(response, R"({"items": [{"id": 1}], "next": "same"})");
        // The source filters after paging: a page may be empty in the middle.
        if (token.empty()) return send_json(response, R"({"items": [], "meta": {"next": 17}})");
        send_json(response, R"({"items": [{"id": 1}], "meta": {"next": null}})");
    };
    EXPECT_EQ(run("in_body"), "1/1/0/0, 2 complete");
    EXPECT_EQ(run("in_header"), "2/2/0/0, 2 complete");
    EXPECT_THAT(source_.asked(), ElementsAre("GET /b", "GET /b?token=17", "GET /h", "GET /h?token=a%26b"));
    EXPECT_THAT(run("repeated"), HasSubstr("the source gives the same next page again"));
}

TEST_F(Pages, OneObjectIsOneItemAndAListMayBeOne) {
    declare(R"(
  object: {subtask: Collect, raw: _raw_demo_a, path: o, rows: /user, key: [id, "profile/name"], item: {id: bigint}}
  list: {subtask: Collect, raw: _raw_demo_b, path: l, item: [{id: bigint}]}
  nothing: {subtask: Collect, raw: _raw_demo_c, path: n, rows: /items, item: {id: bigint}}
  empty: {subtask: Collect, raw: _raw_demo_d, path: e, item: {id: bigint}}
)");
    source_.answer = [&](const Request& request, Answer& response) {
        if (request.path == "/o")
            return send_json(
                response,
                "{\"user\": {\"id\": 12345678901234567890, \"profile\": {\"name\": \"a\\u0041\"}} }");
        if (request.path == "/l") return send_json(response, " [{\"id\": 1}, {\"id\": 2}] ");
        if (request.path == "/n") return send_json(response, "{\"items\": null}");
        response.status = 204;
    };
    EXPECT_EQ(run("object"), "1/1/0/0, 1 complete");
    EXPECT_EQ(
        raw("_raw_demo_a", "data, _tarn_item"),
        "{\"id\": 12345678901234567890, \"profile\": {\"name\": \"a\\u0041\"}}|12345678901234567890:aA");
    EXPECT_EQ(run("list"), "1/1/0/0, 1 complete");
    EXPECT_EQ(raw("_raw_demo_b"), "[{\"id\": 1}, {\"id\": 2}]");
    EXPECT_EQ(run("nothing"), "0/0/0/0, 1 complete");
    EXPECT_EQ(run("empty"), "0/0/0/0, 1 complete");
}

TEST_F(Pages, ItemsStayByteForByteAndThoseWithoutTheirKeyAreKeptByPlace) {
    declare(R"(
  things: {subtask: Collect, raw: _raw_demo_things, path: things, key: [id], item: {id: bigint}}
)");
    source_.answer = [&](const Request&, Answer& response) {
        send_json(response,
                  "[ {\"id\" : 1.0,\n  \"t\": \"\\u00e9 \xC3\xA9\"} ,{\"id\": null}, {\"id\": {}}, {\"x\": "
                  "nul}, {\"id\":\"b:c\",\"bad\": \"\xFF\"}]");
    };
    EXPECT_EQ(run("things"), "5/5/0/0, 1 complete");
    EXPECT_EQ(raw("_raw_demo_things", "_tarn_item, data"),
              "1.0|{\"id\" : 1.0,\n  \"t\": \"\\u00e9 \xC3\xA9\"}\n?1:1|{\"id\": null}\n?1:2|{\"id\": "
              "{}}\n?1:3|{\"x\": nul}\n"
              "b:c|{\"id\":\"b:c\",\"bad\": \"\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace tarn::connector
