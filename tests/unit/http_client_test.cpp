#include "http/client.h"

#include <cstdlib>
#include <fstream>
#include <future>
#include <mutex>
#include <set>

#include <gtest/gtest.h>

#include "http/auth.h"
#include "unit/http_server.h"

namespace tarn::http {
namespace {

using Clock = std::chrono::steady_clock;
using httplib::Request;
using ServerAnswer = httplib::Response;

Millis since(Clock::time_point begin) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
}

Result<Response> fetched(ClientOptions options, const std::string& url) {
    return opened(std::move(options))->fetch({.url = url});
}

void sleep_millis(Millis millis) { std::this_thread::sleep_for(std::chrono::milliseconds(millis)); }

TEST(HttpClient, ManyThreadsInParallel) {
    TestServer<> web;
    std::atomic<int> inside = 0;
    std::atomic<int> most = 0;
    web.server.Get("/slow", [&](const Request&, ServerAnswer& answer) {
        int here = ++inside;
        int seen = most;
        while (here > seen && !most.compare_exchange_weak(seen, here)) continue;
        sleep_millis(10);
        --inside;
        answer.set_content("ok", "application/octet-stream");
    });
    auto options = quick_options();
    options.max_parallel = 8;
    auto client = opened(options);
    std::vector<std::future<bool>> all;
    for (int i = 0; i < 16; ++i) {
        all.push_back(std::async(std::launch::async, [&] {
            bool good = true;
            for (int n = 0; n < 5; ++n) {
                auto answer = client->fetch({.url = web.url("/slow?n=" + std::to_string(n))});
                good = good && answer && answer->status == 200 && answer->body == "ok";
            }
            return good;
        }));
    }
    for (auto& one : all) EXPECT_TRUE(one.get());
    EXPECT_LE(most, 8);
    EXPECT_GE(most, 4);
    EXPECT_EQ(client->stats().requests, 80);
    EXPECT_EQ(client->stats().bytes, 160);
}

TEST(HttpClient, SendsWhatItIsGiven) {
    TestServer<> web;
    Request got;
    auto keep = [&](const Request& request, ServerAnswer& answer) {
        got = request;
        answer.set_header("X-Two", "a");
        answer.status = 201;
    };
    web.server.Post("/p", keep).Put("/p", keep).Delete("/p", keep).Get("/p", keep).Patch("/p", keep);
    auto options = quick_options();
    options.headers = {{"Accept", "a/b"}, {"X-Base", "1"}};
    auto client = opened(options);
    auto answer = client->fetch(
        {.method = "POST", .url = web.url("/p?q=1"), .headers = {{"accept", "c/d"}}, .body = "{}"});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->header("x-two"), "a");
    EXPECT_EQ(answer->url, web.url("/p?q=1"));
    EXPECT_EQ(got.method + got.body, "POST{}");
    EXPECT_EQ(got.get_header_value("Accept"), "c/d");
    EXPECT_EQ(got.get_header_value("X-Base"), "1");
    EXPECT_EQ(got.get_header_value("Content-Type"), "application/json");
    // One handle after the other: nothing of the request before stays.
    for (const auto* method : {"PUT", "GET", "PATCH", "HEAD", "GET", "DELETE"}) {
        ASSERT_TRUE(client->fetch({.method = method, .url = web.url("/p")}));
        EXPECT_EQ(got.method, method);
        EXPECT_EQ(got.body, "");
    }
}

TEST(HttpClient, AsksForGzip) {
    TestServer<> web;
    const std::string text(100'000, 'x');
    web.server.Get("/", [&](const Request& request, ServerAnswer& answer) {
        EXPECT_EQ(request.get_header_value("Accept-Encoding"), "gzip");
        answer.set_content(text, "application/json");  // httplib compresses it
    });
    auto client = opened(quick_options());
    auto answer = client->fetch({.url = web.url("/")});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header("content-encoding"), "gzip");
    EXPECT_EQ(answer->body, text);
    EXPECT_LT(client->stats().bytes, 5'000);
}

TEST(HttpClient, RetriesAndGivesUp) {
    TestServer<> web;
    std::atomic<int> asked = 0;
    web.server.Get("/twice",
                   [&](const Request&, ServerAnswer& answer) { answer.status = ++asked < 3 ? 502 : 200; });
    web.server.Get("/never", [&](const Request&, ServerAnswer& answer) { answer.status = 500; });
    web.server.Get("/same", [&](const Request&, ServerAnswer& answer) { answer.status = 304; });
    auto client = opened(quick_options());
    auto answer = client->fetch({.url = web.url("/twice")});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(client->stats().retries, 2);
    auto never = client->fetch({.url = web.url("/never?token=secret")});
    ASSERT_FALSE(never);
    EXPECT_EQ(never.error().kind, ErrorKind::transient);
    EXPECT_EQ(never.error().text(),
              web.url("/never") + ": the source answered 500, also after 3 retries. Run again later.");
    EXPECT_EQ(client->fetch({.url = web.url("/gone")})->status, 404);
    EXPECT_EQ(client->fetch({.url = web.url("/same")})->status, 304);
    EXPECT_EQ(client->stats().not_modified, 1);
    EXPECT_EQ(client->stats().requests, 9);
}

TEST(HttpClient, CutBodiesAreFetchedAgain) {
    const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole";
    for (const std::string cut :
         {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhal",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", "HTTP/1.1 200 O", ""}) {
        std::atomic<int> asked = 0;
        RawServer raw([&](int connection) {
            RawServer::read_request(connection);
            RawServer::write(connection, asked++ == 0 ? cut : whole);
        });
        auto client = opened(quick_options());
        auto answer = client->fetch({.url = "http://127.0.0.1:" + std::to_string(raw.port) + "/"});
        ASSERT_TRUE(answer) << cut;
        EXPECT_EQ(answer->body, "whole");
        EXPECT_GE(client->stats().retries, cut.empty() ? 0 : 1);
    }
    RawServer always([&](int connection) {
        RawServer::read_request(connection);
        RawServer::write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhal");
    });
    auto answer = fetched(quick_options(), "http://127.0.0.1:" + std::to_string(always.port) + "/");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::transient);
    EXPECT_EQ(always.connections, 4);
}

TEST(HttpClient, TimesOut) {
    RawServer silent([](int connection) {
        RawServer::read_request(connection);
        sleep_millis(120);
    });
    auto options = quick_options();
    options.timeout = 60;
    options.retries = 1;
    auto answer = fetched(options, "http://127.0.0.1:" + std::to_string(silent.port) + "/");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::transient);
    EXPECT_NE(answer.error().text().find("API_TIMEOUT"), std::string::npos);
}

TEST(HttpClient, ErrorsTellNoSecret) {
    auto options = quick_options();
    options.auth = query_auth("token", {"secret"});
    for (const std::string url : {"http://me:secret@127.0.0.1:1/p", "http://me:secret@no-such-host.invalid/p",
                                  "ftp://me:secret@h/p", "http://me:secret@:x/p", "me:secret@h"}) {
        auto answer = fetched(options, url + "?password=secret");
        ASSERT_FALSE(answer) << url;
        EXPECT_EQ(answer.error().kind, ErrorKind::terminal) << url;
        EXPECT_EQ(answer.error().text().find("secret"), std::string::npos) << answer.error().text();
        EXPECT_NE(answer.error().next_step.find("Check the endpoint"), std::string::npos);
    }
    options.proxy = "http://me:secret@127.0.0.1:1";
    EXPECT_EQ(fetched(options, "http://h/p").error().text().find("secret"), std::string::npos);
    options.proxy = "";
    options.auth = bearer_auth({"sec\nret"});
    EXPECT_NE(fetched(options, "http://h/p").error().text().find("Check the token"), std::string::npos);
    options.auth = bearer_auth({});
    EXPECT_NE(fetched(options, "http://h/p").error().text().find("no token"), std::string::npos);
}

TEST(HttpClient, CancelEndsTransfersAndPausesAtOnce) {
    TestServer<> web;
    std::atomic<bool> stop = false;
    web.server.Get("/hang", [&](const Request&, ServerAnswer& answer) {
        answer.set_content_provider(1'000'000, "text/plain", [&](size_t, size_t, httplib::DataSink& sink) {
            sink.write("x", 1);
            sleep_millis(5);
            return !stop.load();
        });
    });
    web.server.Get("/later", [](const Request&, ServerAnswer& answer) {
        answer.status = 503;
        answer.set_header("Retry-After", "100");
    });
    web.server.Get("/limit", [](const Request&, ServerAnswer& answer) {
        answer.status = 429;
        answer.set_header("Retry-After", "100");
    });
    auto options = quick_options();
    auto client = opened(options);
    std::vector<std::future<Result<Response>>> all;
    for (const auto* path : {"/hang", "/hang", "/later", "/limit", "/hang"}) {
        all.push_back(std::async(std::launch::async,
                                 [&client, url = web.url(path)] { return client->fetch({.url = url}); }));
    }
    sleep_millis(100);
    auto begin = Clock::now();
    options.cancel.cancel();
    for (auto& one : all) {
        auto answer = one.get();
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
    }
    EXPECT_LT(since(begin), 900);
    EXPECT_EQ(client->fetch({.url = web.url("/hang")}).error().kind, ErrorKind::cancelled);
    client.reset();
    EXPECT_LT(since(begin), 1'000);
    stop = true;
}

// A source that counts down per token, and refuses at 0 until its reset.
class LimitedSource {
  public:
    void answer(const Request& request, ServerAnswer& answer) {
        std::lock_guard lock(mutex);
        auto token = request.get_header_value("Authorization");
        auto& left = remaining[token];
        ++asked[token];
        if (refuse && left == 0) answer.status = 403;
        left = std::max(left - 1, 0);
        answer.set_header("X-Remaining", std::to_string(left));
        answer.set_header("X-Reset", "1");
    }
    std::mutex mutex;
    std::map<std::string, int> remaining, asked;
    bool refuse = true;
};

ClientOptions limited_options() {
    auto options = quick_options();
    options.rate = {.remaining_header = "X-Remaining", .reset_header = "X-Reset"};
    return options;
}

TEST(HttpClient, TokensInTurnUntilTheirBudgetsEnd) {
    TestServer<> web;
    LimitedSource source;
    source.remaining = {{"Bearer a", 30}, {"Bearer b", 3}, {"Bearer c", 10}};
    web.server.Get("/",
                   [&](const Request& request, ServerAnswer& answer) { source.answer(request, answer); });
    auto options = limited_options();
    options.auth = bearer_auth({"a", " b ", "c", ""});
    auto client = opened(options);
    for (int i = 0; i < 40; ++i) ASSERT_EQ(client->fetch({.url = web.url("/")})->status, 200);
    EXPECT_EQ(source.asked["Bearer b"], 3);
    EXPECT_EQ(source.asked["Bearer c"], 10);
    EXPECT_EQ(source.asked["Bearer a"], 27);
    EXPECT_EQ(client->stats().waited, 0);
}

TEST(HttpClient, ThreadsTogetherSpendNoMoreThanThereIs) {
    TestServer<> web;
    LimitedSource source;
    source.remaining = {{"Bearer a", 60}, {"Bearer b", 25}};
    web.server.Get("/",
                   [&](const Request& request, ServerAnswer& answer) { source.answer(request, answer); });
    auto options = limited_options();
    options.auth = bearer_auth({"a", "b"});
    auto client = opened(options);
    std::atomic<int> begun = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) {
        threads.emplace_back([&] {
            while (begun++ < 85) EXPECT_EQ(client->fetch({.url = web.url("/")})->status, 200);
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(source.asked["Bearer a"], 60);
    EXPECT_EQ(source.asked["Bearer b"], 25);
    EXPECT_EQ(client->stats().retries, 0);
}

TEST(HttpClient, WaitsForTheResetWithoutRetries) {
    TestServer<> web;
    LimitedSource source;
    source.remaining = {{"", 2}};
    web.server.Get("/",
                   [&](const Request& request, ServerAnswer& answer) { source.answer(request, answer); });
    auto options = limited_options();
    options.retries = 0;
    auto client = opened(options);
    auto begin = Clock::now();
    for (int i = 0; i < 2; ++i) ASSERT_EQ(client->fetch({.url = web.url("/")})->status, 200);
    auto third = std::async(std::launch::async, [&] { return client->fetch({.url = web.url("/")}); });
    sleep_millis(200);
    {
        std::lock_guard lock(source.mutex);
        EXPECT_EQ(source.asked[""], 2);
        source.remaining[""] = 9;
    }
    EXPECT_EQ(third.get()->status, 200);
    EXPECT_GE(since(begin), 900);
    EXPECT_GE(client->stats().waited, 800);
}

TEST(HttpClient, ALimitOfManyHoursIsAnError) {
    TestServer<> web;
    web.server.Get("/", [&](const Request&, ServerAnswer& answer) {
        answer.status = 429;
        answer.set_header("Retry-After", "9000");
    });
    auto answer = fetched(quick_options(), web.url("/?token=secret"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::transient);
    EXPECT_NE(answer.error().text().find("used up until"), std::string::npos);
    EXPECT_EQ(answer.error().text().find("secret"), std::string::npos);
}

TEST(HttpClient, ASecondaryLimitPausesEveryRequest) {
    TestServer<> web;
    std::atomic<int> asked = 0;
    web.server.Get("/", [&](const Request&, ServerAnswer& answer) {
        if (++asked != 1) return;
        answer.status = 403;
        answer.set_header("Retry-After", "0.4");
        answer.set_content("You have exceeded a secondary rate limit", "text/plain");
    });
    auto options = quick_options();
    options.retries = 0;
    options.auth = bearer_auth({"a", "b"});
    options.rate = {.secondary_statuses = {403}, .secondary_body = "secondary rate limit"};
    auto client = opened(options);
    auto begin = Clock::now();
    auto first = std::async(std::launch::async, [&] { return client->fetch({.url = web.url("/")}); });
    while (client->stats().retries == 0) sleep_millis(5);
    sleep_millis(20);
    ASSERT_EQ(client->fetch({.url = web.url("/")})->status, 200);
    EXPECT_GE(since(begin), 400);
    EXPECT_EQ(first.get()->status, 200);
    EXPECT_EQ(asked, 3);
}

TEST(HttpClient, FollowsRedirectsWithoutTakingCredentialsAbroad) {
    TestServer<> home;
    TestServer<> other;
    std::vector<Request> at_other;
    other.server.Get("/end", [&](const Request& request, ServerAnswer& answer) {
        at_other.push_back(request);
        answer.set_content("there", "text/plain");
    });
    home.server.Get("/away",
                    [&](const Request&, ServerAnswer& answer) { answer.set_redirect(other.url("/end")); });
    home.server.Get("/near",
                    [&](const Request&, ServerAnswer& answer) { answer.set_redirect("/here", 307); });
    home.server.Get("/here", [&](const Request& request, ServerAnswer& answer) {
        answer.set_content(request.get_header_value("Authorization"), "text/plain");
    });
    home.server.Get("/loop", [&](const Request&, ServerAnswer& answer) { answer.set_redirect("/loop"); });
    home.server.Get("/file",
                    [&](const Request&, ServerAnswer& answer) { answer.set_redirect("file:///etc/passwd"); });
    auto options = quick_options();
    options.auth = bearer_auth({"secret"});
    options.headers = {{"Accept", "a/b"}, {"Private-Token", "secret"}};
    auto client = opened(options);
    EXPECT_EQ(client->fetch({.url = home.url("/near")})->body, "Bearer secret");
    auto away = client->fetch({.url = home.url("/away")});
    ASSERT_TRUE(away);
    EXPECT_EQ(away->body, "there");
    EXPECT_EQ(away->url, home.url("/away"));
    ASSERT_EQ(at_other.size(), 1U);
    EXPECT_EQ(at_other[0].get_header_value("Accept"), "a/b");
    EXPECT_FALSE(at_other[0].has_header("Authorization"));
    EXPECT_FALSE(at_other[0].has_header("Private-Token"));
    EXPECT_EQ(client->fetch({.url = home.url("/loop")}).error().kind, ErrorKind::terminal);
    EXPECT_EQ(client->fetch({.url = home.url("/file")}).error().kind, ErrorKind::terminal);
}

TEST(HttpClient, RefusesBlockedAddresses) {
    TestServer<> web;
    web.server.Get("/", [](const Request&, ServerAnswer&) {});
    auto options = quick_options();
    options.blocked_cidrs = {"127.0.0.0/8", "::1"};
    for (const std::string host : {"127.0.0.1", "localhost", "127.1"}) {
        for (const std::string proxy : {"", "http://127.0.0.1:1"}) {
            options.proxy = proxy;
            auto answer = fetched(options, "http://" + host + ":" + std::to_string(web.port) + "/");
            ASSERT_FALSE(answer) << host;
            EXPECT_EQ(answer.error().kind, ErrorKind::terminal);
            EXPECT_NE(answer.error().text().find("ENDPOINT_CIDR_BLACKLIST"), std::string::npos)
                << answer.error().text();
        }
    }
    options.proxy = "";
    options.blocked_cidrs = {"10.0.0.0/8"};
    EXPECT_TRUE(fetched(options, web.url("/")));
    options.blocked_cidrs = {"10.0.0.0/99"};
    EXPECT_EQ(open_client(options).error().kind, ErrorKind::terminal);
}

TEST(HttpClient, UsesItsOwnProxyAndNotTheEnvironments) {
    std::string asked;
    RawServer proxy([&](int connection) {
        asked = RawServer::read_request(connection);
        RawServer::write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    RawServer socks([](int connection) {
        char bytes[64];
        (void)::recv(connection, bytes, 64, 0);
        RawServer::write(connection, std::string("\5\0", 2));
        (void)::recv(connection, bytes, 64, 0);
        RawServer::write(connection, std::string("\5\0\0\1\0\0\0\0\0\0", 10));
        RawServer::read_request(connection);
        RawServer::write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsocks");
    });
    TestServer<> web;
    web.server.Get("/", [](const Request&, ServerAnswer&) {});
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    ::setenv("no_proxy", "*", 1);
    EXPECT_TRUE(fetched(quick_options(), web.url("/")));
    auto options = quick_options();
    options.proxy = "http://127.0.0.1:" + std::to_string(proxy.port);
    EXPECT_EQ(fetched(options, "http://source.invalid/x")->body, "ok");
    EXPECT_TRUE(asked.starts_with("GET http://source.invalid/x HTTP/1.1\r\n")) << asked;
    options.proxy = "socks5h://127.0.0.1:" + std::to_string(socks.port);
    EXPECT_EQ(fetched(options, "http://source.invalid/x")->body, "socks");
    ::unsetenv("http_proxy");
    ::unsetenv("no_proxy");
    options.proxy = "gopher://me:secret@127.0.0.1";
    auto refused = open_client(options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text().find("secret"), std::string::npos);
}

TEST(HttpClient, ReadsBigBodiesWhole) {
    TestServer<> web;
    std::string text;
    for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + ",";
    web.server.Get("/", [&](const Request&, ServerAnswer& answer) {
        answer.set_content(text, "application/octet-stream");
    });
    EXPECT_EQ(fetched(quick_options(), web.url("/"))->body, text);
}

}  // namespace
}  // namespace tarn::http
