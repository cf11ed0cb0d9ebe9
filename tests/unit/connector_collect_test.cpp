// What a collection leaves in the stores, and what it asks for the next time.
#include "unit/connector_fixture.h"

namespace tarn::connector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Collect : public CollectTest {
  protected:
    // A list of `pages` pages of two items by page numbers; `broken` answers 500 or worse.
    void answer_pages(int pages) {
        source_.answer = [this, pages](const Request& request, Answer& response) {
            int page = param(request, "page", 1);
            if (page == broken_) return send_json(response, broken_body_, broken_status_);
            response.set_header("X-Total-Pages", std::to_string(pages));
            send_json(response, "[" + numbered(2 * page - 1, 2 * page) + "]");
        };
    }
    std::atomic<int> broken_ = 0;
    int broken_status_ = 422;
    std::string broken_body_ = "{\"message\": \"not today\"}";
};

constexpr const char* paged = R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: things
    page: {kind: page, param: page, total: X-Total-Pages, unit: pages}
    key: [id]
    item: {id: bigint}
)";

// ---- errors and going on

TEST_F(Collect, GoesOnBehindAFailedPage) {
    declare(paged);
    answer_pages(6);
    broken_ = 4;
    auto failed = collect_from("things");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::terminal);
    EXPECT_EQ(failed.error().text(), "demo.things, " + source_.url("/things") +
                                         ": the source answered 422: {\"message\": \"not today\"}");
    EXPECT_EQ(ids("_raw_demo_things"), "1 2 3 4 5 6");
    EXPECT_EQ(state("latest_success_start"), "none");
    auto begun = rows_of(*data_, "select started_at from _tarn_passes");

    broken_ = 0;
    source_.newly_asked();
    // Not complete: items may have moved over the page borders in between.
    EXPECT_EQ(run("things"), "6/6/0/0, 3");
    EXPECT_THAT(source_.newly_asked(),
                ElementsAre("GET /things?page=4", "GET /things?page=5", "GET /things?page=6"));
    EXPECT_EQ(ids("_raw_demo_things"), "1 2 3 4 5 6 7 8 9 10 11 12");
    EXPECT_EQ(rows_of(*data_, "select timestamp '" + state("latest_success_start") + "'"), begun);

    EXPECT_EQ(run("things"), "12/0/0/0, 6 complete");
}

TEST_F(Collect, TellsWhatToCheck) {
    declare(paged);
    answer_pages(2);
    broken_ = 1;
    broken_status_ = 403;
    EXPECT_THAT(
        run("things"),
        HasSubstr("answered 403: {\"message\": \"not today\"}. Check the rights of the connection's token"));
    broken_status_ = 404;
    EXPECT_THAT(run("things"), HasSubstr("Check that the scope still exists"));
}

TEST_F(Collect, AsksAgainForABrokenAnswer) {
    declare(paged);
    answer_pages(2);
    std::atomic<int> times = 0;
    auto good_answer = source_.answer;
    source_.answer = [&](const Request& request, Answer& response) {
        if (param(request, "page", 1) != 2 || ++times > 2) return good_answer(request, response);
        send_json(response, times == 1 ? "<html>Unicorn</html>" : "[{\"id\": 3}, {\"id\"");
    };
    EXPECT_EQ(run("things"), "4/4/0/0, 4 complete");

    times = -100;
    auto failed = collect_from("things");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::bad_data);
    EXPECT_THAT(failed.error().text(), HasSubstr("the answer is not the expected JSON"));
    EXPECT_EQ(times.load(), -96);
    EXPECT_EQ(ids("_raw_demo_things"), "1 2 3 4");
}

TEST_F(Collect, AnAnswerWithoutTheRowsIsNoEmptyList) {
    declare(R"(
  things: {subtask: Collect, raw: _raw_demo_things, path: things, rows: /items, key: [id], item: {id: bigint}}
)");
    source_.answer = [](const Request&, Answer& response) {
        send_json(response, R"({"errors": ["no access"]})");
    };
    EXPECT_THAT(run("things"), HasSubstr("{\"errors\": [\"no access\"]}"));
}

TEST_F(Collect, StopsSoonWhenCancelled) {
    declare(paged);
    answer_pages(1000);
    CollectTask cancelled = task("things");
    cancelled.progress = [&](std::int64_t items, std::int64_t) {
        if (items >= 20) cancelled.cancel.cancel();
    };
    auto begin = std::chrono::steady_clock::now();
    auto stopped = collect(cancelled, *client_, *data_, *control_);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().kind, ErrorKind::cancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    EXPECT_EQ(state("latest_success_start"), "none");
}

TEST_F(Collect, ReadsAnewWhereTheSourceForgotTheCursor) {
    declare(R"(
  things: {subtask: Collect, raw: _raw_demo_things, path: things, page: {kind: cursor, param: c, next: /next}, rows: /items, key: [id], item: {id: bigint}}
)");
    std::atomic<int> life = 1;
    source_.answer = [&](const Request& request, Answer& response) {
        std::string cursor = request.get_param_value("c");
        if (cursor.empty())
            return send_json(response,
                             R"({"items": [{"id": 1}], "next": "life)" + std::to_string(life) + "\"}");
        if (life == 1 || cursor != "life2") return send_json(response, "{}", 400);
        send_json(response, R"({"items": [{"id": 2}]})");
    };
    EXPECT_THAT(run("things"), HasSubstr("answered 400"));
    EXPECT_EQ(ids("_raw_demo_things"), "1");
    life = 2;
    EXPECT_EQ(run("things"), "2/1/0/0, 3 complete");
    EXPECT_EQ(ids("_raw_demo_things"), "1 2");
}

// ---- what vanished, what did not change

TEST_F(Collect, OnlyACompleteReadingDeletes) {
    declare(paged);
    answer_pages(3);
    EXPECT_EQ(run("things"), "6/6/0/0, 3 complete");
    answer_pages(1);
    EXPECT_EQ(run("things"), "2/0/0/4, 1 complete");
    EXPECT_EQ(ids("_raw_demo_things"), "1 2");
}

TEST_F(Collect, ASkippedListDeletesNothing) {
    declare(std::string(paged) + "    skip: [404]\n");
    answer_pages(1);
    EXPECT_EQ(run("things"), "2/2/0/0, 1 complete");
    broken_ = 1;
    broken_status_ = 404;
    EXPECT_EQ(run("things"), "0/0/0/0, 1");
    EXPECT_EQ(ids("_raw_demo_things"), "1 2");
    EXPECT_NE(state("latest_success_start"), "none");
}

TEST_F(Collect, UnchangedPagesCountAsSeen) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: things
    page: {kind: page, param: page, total: X-Total-Pages, unit: pages}
    key: [id]
    etag: yes
    item: {id: bigint}
)");
    std::atomic<int> unchanged = 0;
    std::string last = "[{\"id\": 5}]";
    source_.answer = [&](const Request& request, Answer& response) {
        int page = param(request, "page", 1);
        std::string body = page == 3 ? last : "[" + numbered(2 * page - 1, 2 * page) + "]";
        std::string etag = "\"" + std::to_string(std::hash<std::string>()(body)) + "\"";
        response.set_header("ETag", etag);
        if (request.get_header_value("If-None-Match") == etag) {
            ++unchanged;
            response.status = 304;
            return;
        }
        response.set_header("X-Total-Pages", "3");
        send_json(response, body);
    };
    EXPECT_EQ(run("things"), "5/5/0/0, 3 complete");
    EXPECT_EQ(unchanged.load(), 0);
    EXPECT_EQ(run("things"), "5/0/0/0, 3 complete");
    EXPECT_EQ(unchanged.load(), 3);
    last = "[{\"id\": 6}]";
    EXPECT_EQ(run("things"), "5/1/0/1, 3 complete");
    EXPECT_EQ(unchanged.load(), 5);
    EXPECT_EQ(ids("_raw_demo_things"), "1 2 3 4 6");

    // Rows that somebody deleted are read again, whatever the source says.
    ASSERT_TRUE(good(run_in(*data_, "delete from _raw_demo_things where data = '{\"id\": 3}'")));
    EXPECT_EQ(run("things"), "5/1/0/0, 4 complete");
    EXPECT_EQ(ids("_raw_demo_things"), "1 2 4 6 3");

    full_sync_ = true;
    unchanged = 0;
    EXPECT_EQ(run("things"), "5/0/0/0, 3 complete");
    EXPECT_EQ(unchanged.load(), 0);
}

// ---- since

TEST_F(Collect, SinceFollowsTheLatestState) {
    declare(R"(
  things: {subtask: Collect, raw: _raw_demo_things, path: things, query: {since: never}, since: {query: since}, key: [id], item: {id: bigint}}
)");
    source_.answer = [](const Request&, Answer& response) { send_json(response, "[{\"id\": 1}]"); };
    set_state("_raw_demo_things", "2024-05-06 07:08:09.500");
    EXPECT_EQ(run("things"), "1/1/0/0, 1");
    EXPECT_GT(state("latest_success_start"), "2026");
    EXPECT_EQ(state("time_after"), "");

    // A time after which to collect is kept by full runs only.
    ASSERT_TRUE(good(control_->run(
        "update _devlake_collector_latest_state set latest_success_start = '2024-05-06 07:08:09.500'")));
    time_after_ = 1'600'000'000'000;
    EXPECT_EQ(run("things"), "1/0/0/0, 1");
    EXPECT_EQ(state("time_after"), "");
    full_sync_ = true;
    EXPECT_EQ(run("things"), "1/0/0/0, 1");
    EXPECT_EQ(state("time_after"), "2020-09-13 12:26:40.000");
    time_after_ = 0;
    EXPECT_EQ(run("things"), "1/0/0/0, 1");
    full_sync_ = false;
    time_after_ = 1'500'000'000'000;
    EXPECT_EQ(run("things"), "1/0/0/0, 1");
    EXPECT_EQ(state("time_after"), "2017-07-14 02:40:00.000");
    EXPECT_THAT(source_.asked(), ElementsAre("GET /things?since=2024-05-06T07%3A08%3A09Z",
                                             "GET /things?since=2024-05-06T07%3A08%3A09Z",
                                             "GET /things?since=2020-09-13T12%3A26%3A40Z",
                                             "GET /things?since=2020-09-13T12%3A26%3A40Z",
                                             "GET /things?since=2017-07-14T02%3A40%3A00Z"));
}

TEST_F(Collect, WithoutAStateEverythingIsRead) {
    declare(R"(
  things: {subtask: Collect, raw: _raw_demo_things, path: things, query: {q: "updated>={since}", x: 1}, since: {}, key: [id], item: {id: bigint}}
)");
    source_.answer = [](const Request&, Answer& response) { send_json(response, "[{\"id\": 1}]"); };
    EXPECT_EQ(run("things"), "1/1/0/0, 1 complete");
    EXPECT_EQ(run("things"), "1/0/0/0, 1");
    EXPECT_EQ(source_.asked()[0], "GET /things?x=1");
    EXPECT_THAT(source_.asked()[1], HasSubstr("GET /things?q=updated%3E%3D20"));
}

TEST_F(Collect, ANewestFirstListEndsAtTheFirstOlderItem) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: things
    page: {kind: link}
    since: {field: at}
    key: [id]
    item: {id: bigint, at: time}
)");
    source_.answer = [&](const Request& request, Answer& response) {
        int page = param(request, "page", 1);
        std::string base = source_.url("/things?page=");
        if (page < 5)
            response.set_header(
                "Link", "<" + base + std::to_string(page + 1) + ">; rel=next, <" + base + "5>; rel=last");
        auto item = [&](int n) {
            return "{\"id\": " + std::to_string(n) + ", \"at\": \"2024-01-" + std::to_string(20 - n) +
                   "T00:00:00Z\"}";
        };
        send_json(response, "[" + item(2 * page - 1) + ", " + item(2 * page) +
                                (page == 1 ? ", {\"id\": 0, \"at\": null}]" : "]"));
    };
    set_state("_raw_demo_things", "2024-01-17 00:00:00.000");
    EXPECT_EQ(run("things"), "4/4/0/0, 2");
    EXPECT_EQ(ids("_raw_demo_things"), "1 2 0 3");
    EXPECT_THAT(source_.newly_asked(), ElementsAre("GET /things", "GET /things?page=2"));
    full_sync_ = true;
    EXPECT_EQ(run("things"), "11/7/0/0, 5 complete");
}

// ---- windows

TEST_F(Collect, HalvesAWindowThatHoldsTooMuch) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: things
    query: {per_page: 2}
    rows: /items
    page: {kind: link}
    window: {query: created, format: "{from:epoch}..{to:epoch}", total: /total, cap: 5, start: 2024-01-01, too_many: [422]}
    key: [id]
    item: {id: bigint}
)");
    // 12 items, an hour apart; more than 8 are refused, more than 4 cut.
    std::int64_t first = 1'704'067'200;
    source_.answer = [&](const Request& request, Answer& response) {
        std::string window = request.get_param_value("created");
        std::int64_t from = std::stoll(window);
        std::int64_t to = std::stoll(window.substr(window.find("..") + 2));
        std::vector<int> found;
        for (int n = 1; n <= 12; ++n) {
            if (first + 3600 * n >= from && first + 3600 * n <= to) found.push_back(n);
        }
        if (found.size() > 8) return send_json(response, "{}", 422);
        int page = param(request, "page", 1);
        std::string items;
        for (std::size_t i = 2 * static_cast<std::size_t>(page - 1);
             i < found.size() && i < 2 * static_cast<std::size_t>(page); ++i) {
            items += (items.empty() ? "" : ", ") + numbered(found[i], found[i]);
        }
        std::size_t pages = (found.size() + 1) / 2;
        std::string base = source_.url("/things?per_page=2&created=" + window + "&page=");
        if (static_cast<std::size_t>(page) < pages) {
            response.set_header("Link", "<" + base + std::to_string(page + 1) + ">; rel=next, <" + base +
                                            std::to_string(pages) + ">; rel=last");
        }
        send_json(response, "{\"total\": " + std::to_string(found.size()) + ", \"items\": [" + items + "]}");
    };
    auto summary = collect_from("things");
    ASSERT_TRUE(good(summary));
    EXPECT_TRUE(summary->complete);
    EXPECT_EQ(ids("_raw_demo_things"), "1 2 3 4 5 6 7 8 9 10 11 12");
    source_.newly_asked();
    set_state("_raw_demo_other", "2024-01-01 00:00:00.000");
    ASSERT_TRUE(good(control_->run(
        "update _devlake_collector_latest_state set latest_success_start = '2024-01-01 09:30:00.000'")));
    EXPECT_EQ(run("things"), "3/0/0/0, 2");
    EXPECT_THAT(source_.newly_asked()[0], HasSubstr("created=1704101400.."));
}

TEST_F(Collect, GoesOnWithTheWindowsNotRead) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: "things/{from:epoch}/{to:epoch}"
    rows: /items
    window: {total: /total, cap: 4, start: 2024-01-01}
    key: [id]
    item: {id: bigint}
)");
    std::int64_t first = 1'704'067'200;
    std::atomic<bool> broken = true;
    std::atomic<std::int64_t> earliest = 0;
    source_.answer = [&](const Request& request, Answer& response) {
        std::int64_t from = std::stoll(request.path.substr(8));
        std::int64_t to = std::stoll(request.path.substr(request.path.rfind('/') + 1));
        int least = 13;
        int most = 0;
        for (int n = 1; n <= 12; ++n) {
            if (first + 3600 * n < from || first + 3600 * n > to) continue;
            least = std::min(least, n);
            most = n;
        }
        int total = std::max(0, most - least + 1);
        if (broken && total < 4 && most > 6) return send_json(response, "{}", 400);
        if (earliest == 0 || from < earliest) earliest = from;
        send_json(response, "{\"total\": " + std::to_string(total) + ", \"items\": [" +
                                (total < 4 ? numbered(least, most) : "") + "]}");
    };
    EXPECT_THAT(run("things"), HasSubstr("answered 400"));
    EXPECT_THAT(ids("_raw_demo_things"), testing::StartsWith("1 2 3"));
    broken = false;
    earliest = 0;
    EXPECT_THAT(run("things"), HasSubstr("complete"));
    EXPECT_EQ(ids("_raw_demo_things"), "1 2 3 4 5 6 7 8 9 10 11 12");
    EXPECT_GT(earliest.load(), first + 3600);
}

// The windows of the failed run end at its start: what was created since stands in none of them.
TEST_F(Collect, WhatCameAfterAFailedRunArrivesWithTheNext) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: "things/{from:epoch}/{to:epoch}"
    rows: /items
    window: {total: /total, cap: 1000, start: 2024-01-01}
    key: [id]
    item: {id: bigint}
)");
    constexpr Millis day = 86'400'000;
    Millis start = 1'704'067'200'000;
    std::atomic<int> days = 10;
    std::atomic<bool> broken = true;
    source_.answer = [&](const Request& request, Answer& response) {
        std::int64_t from = std::stoll(request.path.substr(8)) * 1000 - start;
        std::int64_t to = std::stoll(request.path.substr(request.path.rfind('/') + 1)) * 1000 - start;
        int least = static_cast<int>(std::max<std::int64_t>(1, (from + day - 1) / day));
        int most = static_cast<int>(std::min<std::int64_t>(days, to / day));
        bool cut = broken && most - least >= 4;
        if (broken && !cut && most > 5) return send_json(response, "{}", 400);
        send_json(response, "{\"total\": " + std::to_string(cut ? 1000 : std::max(0, most - least + 1)) +
                                ", \"items\": [" + (cut ? "" : numbered(least, most)) + "]}");
    };
    now_ = start + 10 * day;
    EXPECT_THAT(run("things"), HasSubstr("answered 400"));
    EXPECT_THAT(ids("_raw_demo_things"), testing::StartsWith("1 2 3"));
    broken = false;
    days = 12;
    now_ = start + 12 * day;
    EXPECT_THAT(run("things"), HasSubstr("complete"));
    EXPECT_EQ(ids("_raw_demo_things"), "1 2 3 4 5 6 7 8 9 10 11 12");
}

TEST_F(Collect, AWindowOfASecondThatIsCutIsAnError) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: things
    rows: /items
    window: {query: created, total: X-Total, cap: 5, start: 2024-01-01}
    key: [id]
    item: {id: bigint}
)");
    source_.answer = [&](const Request&, Answer& response) {
        response.set_header("X-Total", "5");
        send_json(response, "{\"items\": []}");
    };
    EXPECT_THAT(run("things"), HasSubstr("the source cuts the list even for a single second"));
    EXPECT_EQ(state("latest_success_start"), "none");
}

// ---- parents

constexpr const char* children = R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: "demo/{in.id}"
    parents: select id, version from demo
    input: {id: bigint}
    key: [n]
    skip: [403]
    item: {n: bigint}
)";

TEST_F(Collect, ReadsParentsOfAnotherVersionOnly) {
    declare(children);
    ASSERT_TRUE(good(run_in(*data_, "insert into demo (id, version) select n, 'v1' from range(1, 41) t(n)")));
    std::string second = ", {\"n\": 2}";
    source_.answer = [&](const Request& request, Answer& response) {
        std::this_thread::sleep_for(std::chrono::milliseconds(std::hash<std::string>()(request.path) % 7));
        send_json(response, "[{\"n\": 1}" + second + "]");
    };
    EXPECT_EQ(run("things"), "80/80/0/0, 40 complete");
    EXPECT_EQ(
        rows_of(
            *data_,
            "select count(*), bool_and((input ->> '$.id')::bigint = (id + 1) // 2) from _raw_demo_things"),
        "80|true");
    EXPECT_EQ(raw("_raw_demo_things where id = 3", "input, _tarn_item, url"),
              "{\"id\":2}|{\"id\":2}\n1|" + source_.url("/demo/2"));

    EXPECT_EQ(run("things"), "0/0/0/0, 0");
    ASSERT_TRUE(good(run_in(*data_, "update demo set version = 'v2' where id = 7")));
    second = "";
    EXPECT_EQ(run("things"), "1/0/0/1, 1");
    EXPECT_EQ(run("things"), "0/0/0/0, 0");
    // A parent that is gone leaves its items alone.
    ASSERT_TRUE(good(run_in(*data_, "delete from demo where id = 8")));
    EXPECT_EQ(run("things"), "0/0/0/0, 0");
    full_sync_ = true;
    EXPECT_EQ(run("things"), "39/0/0/38, 39 complete");
    EXPECT_EQ(rows_of(*data_, "select count(*) from _raw_demo_things"), "41");
}

TEST_F(Collect, GoesOnWithTheParentsNotRead) {
    declare(children);
    ASSERT_TRUE(good(run_in(*data_, "insert into demo (id, version) select n, 'v1' from range(1, 11) t(n)")));
    std::atomic<bool> broken = true;
    source_.answer = [&](const Request& request, Answer& response) {
        if (broken && request.path == "/demo/6") return send_json(response, "{}", 400);
        send_json(response, "[{\"n\": 1}]");
    };
    full_sync_ = true;
    EXPECT_THAT(run("things"),
                HasSubstr("demo.things, " + source_.url("/demo/6") + ": the source answered 400"));
    EXPECT_EQ(rows_of(*data_, "select count(*) from _raw_demo_things"), "5");
    broken = false;
    EXPECT_EQ(run("things"), "5/5/0/0, 5");
    EXPECT_EQ(run("things"), "10/0/0/0, 10 complete");
}

TEST_F(Collect, ASkippedParentKeepsItsItemsAndIsNotAskedAgain) {
    declare(children);
    ASSERT_TRUE(good(run_in(*data_, "insert into demo (id, version) values (1, 'v1'), (2, 'v1')")));
    std::atomic<bool> hidden = false;
    source_.answer = [&](const Request&, Answer& response) {
        if (hidden) return send_json(response, "{}", 403);
        send_json(response, "[{\"n\": 1}]");
    };
    EXPECT_EQ(run("things"), "2/2/0/0, 2 complete");
    hidden = true;
    ASSERT_TRUE(good(run_in(*data_, "update demo set version = 'v2' where id = 1")));
    auto summary = collect_from("things");
    ASSERT_TRUE(good(summary));
    EXPECT_EQ(summary->skipped, 1);
    EXPECT_EQ(summary->rows.gone, 0);
    EXPECT_EQ(run("things"), "0/0/0/0, 0");
}

TEST_F(Collect, ParentsWithoutVersionAreReadAgainAfterTheirAge) {
    declare(R"(
  always: {subtask: Collect, raw: _raw_demo_a, path: "a/{in.id}", parents: select id from demo, input: {id: bigint}, key: [n], item: {n: bigint}}
  seldom: {subtask: Collect, raw: _raw_demo_b, path: "b/{in.id}", parents: select id from demo, input: {id: bigint}, refresh: 30d, item: {n: bigint}}
)");
    ASSERT_TRUE(good(run_in(*data_, "insert into demo (id) values (2), (1)")));
    source_.answer = [&](const Request&, Answer& response) { send_json(response, "{\"n\": 1}"); };
    EXPECT_EQ(run("always"), "2/2/0/0, 2 complete");
    EXPECT_EQ(run("always"), "2/0/0/0, 2 complete");
    EXPECT_EQ(run("seldom"), "2/2/0/0, 2 complete");
    EXPECT_EQ(raw("_raw_demo_b", "input"), "{\"id\":1}\n{\"id\":2}");
    EXPECT_EQ(run("seldom"), "0/0/0/0, 0");
    ASSERT_TRUE(good(run_in(
        *data_,
        "update _tarn_inputs set collected_at = timestamp '2024-01-01' where input_key = '{\"id\":2}'")));
    EXPECT_EQ(run("seldom"), "1/0/0/0, 1");
}

TEST_F(Collect, ABrokenSelectNamesItsStream) {
    declare(R"(
  things: {subtask: Collect, raw: _raw_demo_a, path: "a/{in.id}", parents: select nothing from demo, input: {id: bigint}, item: {n: bigint}}
)");
    EXPECT_THAT(run("things"), HasSubstr("demo.things"));
}

// ---- unfinished items

TEST_F(Collect, ReadsUnfinishedItemsAgain) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: things
    since: {query: since}
    key: [id]
    open: {select: "select id, id as item_key from demo where state = 'open' order by id", path: "things/{in.id}"}
    item: {id: bigint}
)");
    source_.answer = [&](const Request& request, Answer& response) {
        if (request.path == "/things")
            return send_json(response, request.has_param("since")
                                           ? "[{\"id\": 2}]"
                                           : "[{\"id\": 1}, {\"id\": 2}, {\"id\": 3}]");
        if (request.path == "/things/3") return send_json(response, "{}", 404);
        send_json(response, "{\"id\": " + request.path.substr(8) + ", \"done\": true}");
    };
    ASSERT_TRUE(good(run_in(
        *data_, "insert into demo (id, state) values (1, 'open'), (2, 'open'), (3, 'open'), (4, 'done')")));
    EXPECT_EQ(run("things"), "3/3/0/0, 1 complete");
    source_.newly_asked();
    EXPECT_EQ(run("things"), "2/0/1/0, 3");
    auto asked = source_.newly_asked();
    ASSERT_EQ(asked.size(), 3U);
    EXPECT_THAT(asked[0], HasSubstr("GET /things/1"));
    EXPECT_THAT(asked[1], HasSubstr("GET /things/3"));
    EXPECT_EQ(raw("_raw_demo_things"), "{\"id\": 1, \"done\": true}\n{\"id\": 2}\n{\"id\": 3}");
}

// ---- lists below parents, newest first

constexpr const char* newest_first = R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: "demo/{in.id}"
    query: {range: "{{offset},{end}}"}
    page: {kind: offset, size: 2}
    parents: select id, version from demo
    input: {id: bigint}
    key: [n]
    since: {field: at}
    open: {select: "select id, 1 as n, 1 as item_key from demo where state = 'open'", path: "demo/{in.id}/{in.n}", query: {tree: "n,at"}}
    item: {n: bigint, at: bigint}
)";

TEST_F(Collect, AParentThatIsNewIsReadWithoutSince) {
    declare(newest_first);
    ASSERT_TRUE(good(run_in(*data_, "insert into demo (id, version) values (1, 'v1')")));
    // Times as numbers: milliseconds of 2024 and, behind them, of 2001.
    source_.answer = [&](const Request& request, Answer& response) {
        bool first = request.get_param_value("range") == "{0,2}";
        send_json(response, first ? R"([{"n": 3, "at": 1711277551963}, {"n": 2, "at": 1711277550000}])"
                                  : R"([{"n": 1, "at": 1000000000000}])");
    };
    EXPECT_EQ(run("things"), "3/3/0/0, 2 complete");
    ASSERT_TRUE(good(control_->run(
        "update _devlake_collector_latest_state set latest_success_start = '2024-03-24 10:52:31.500'")));
    ASSERT_TRUE(good(
        run_in(*data_, "update demo set version = 'v2'; insert into demo (id, version) values (2, 'v1')")));
    // The known parent's list ends with its first page; the new one's is read whole.
    EXPECT_EQ(run("things"), "7/3/0/0, 3");
    EXPECT_EQ(rows_of(*data_, "select input, count(*) from _raw_demo_things group by input order by input"),
              "{\"id\":1}|3\n{\"id\":2}|3");
}

TEST_F(Collect, UnfinishedItemsBelowParentsAreThoseOfTheirParent) {
    declare(newest_first);
    ASSERT_TRUE(good(run_in(*data_, "insert into demo values (1, 'v1', 'open'), (2, 'v1', 'open')")));
    source_.answer = [&](const Request& request, Answer& response) {
        bool item = request.path.ends_with("/1/1") || request.path.ends_with("/2/1");
        send_json(response, item ? R"({"n": 1, "at": 0})" : R"([{"n": 1, "at": 4102444800000}])");
    };
    EXPECT_EQ(run("things"), "2/2/0/0, 2 complete");
    ASSERT_TRUE(good(run_in(*data_, "update demo set version = 'v2' where id = 2")));
    source_.newly_asked();
    run("things");
    // Item 1 stood in the list of parent 2, which says nothing of item 1 of parent 1.
    EXPECT_THAT(source_.newly_asked(),
                ElementsAre("GET /demo/1/1?tree=n%2Cat", HasSubstr("GET /demo/2?range=")));
}

// ---- answers for several scopes

TEST_F(Collect, OneAnswerServesAllScopesOfAConnection) {
    declare(R"(
  things:
    subtask: Collect
    raw: _raw_demo_things
    path: things
    once: 10m
    keep: {/owner: "{owner}"}
    drop: {/state: [gone, lost]}
    key: [id]
    item: {id: bigint, owner: varchar}
)");
    std::atomic<int> broken = 1;
    source_.answer = [&](const Request&, Answer& response) {
        send_json(response, broken-- > 0
                                ? "<html>"
                                : R"([{"id": 1, "owner": "a", "state": "there"}, {"id": 2, "owner": "b"},
            {"id": 3, "owner": "a", "state": "lost"}, {"id": 4, "state": "gone"}])");
    };
    SharedAnswers answers;
    auto collected = [&](const std::string& owner, SharedAnswers* shared) {
        options_["owner"] = owner;
        auto asked = task("things");
        asked.params = owner;
        asked.answers = shared;
        auto summary = collect(asked, *client_, *data_, *control_);
        return summary ? std::to_string(summary->rows.seen) + ", " + std::to_string(summary->requests)
                       : summary.error().text();
    };
    // What proved useless is asked for again, and not kept.
    EXPECT_EQ(collected("a", &answers), "1, 2");
    EXPECT_EQ(collected("b", &answers), "1, 0");
    EXPECT_EQ(collected("c", &answers), "0, 0");
    // An empty value keeps nothing out.
    EXPECT_EQ(collected("", &answers), "2, 0");
    EXPECT_EQ(collected("b", nullptr), "1, 1");
    options_["connectionId"] = "2";
    EXPECT_EQ(collected("b", &answers), "1, 1");
}

}  // namespace
}  // namespace tarn::connector
