#include "connector/page_fetch.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/text.h"

namespace tarn::connector {
namespace {

bool holds(const std::vector<int>& statuses, int status) {
    return std::ranges::find(statuses, status) != statuses.end();
}

std::string one_line(const std::string& body) {
    std::string text = valid_utf8(body.substr(0, 200));
    std::ranges::replace_if(
        text, [](unsigned char c) { return c < ' '; }, ' ');
    return std::string(trimmed(text));
}

std::string next_step(int status) {
    switch (status) {
        case 203:
        case 401: return "Check the credentials of the connection: the source does not accept them.";
        case 403: return "Check the rights of the connection's token: it may not read this.";
        case 404:
        case 410: return "Check that the scope still exists and that the connection's token may see it.";
        default: return status >= 500 || status == 429 ? "Run again later." : "";
    }
}

bool is_transient(int status) { return status >= 500 || status == 429 || status == 408; }

// A sign-in page in place of an answer (Azure DevOps) is no broken answer.
bool is_sign_in(const http::Response& response) {
    return response.status == 203 && response.header("content-type").find("html") != std::string::npos;
}

bool is_empty(const http::Response& response) {
    return response.body.empty() && (response.status == 204 || response.header("content-length") == "0");
}

}  // namespace

Outcome PageFetch::fetch(const Job& job) const {
    Outcome outcome = fetch_page(job, rules_.known != nullptr);
    outcome.partial = outcome.partial || (rules_.filtered && !job.unit.fresh);
    return outcome;
}

Result<http::Response> PageFetch::ask(const http::Request& request, bool anew) const {
    if (rules_.shared == nullptr) {
        ++requests_;
        return client_.fetch(request);
    }
    TARN_ASSIGN(auto answer,
                rules_.shared->fetch(client_, request, rules_.asker, rules_.request.stream->once, anew));
    if (answer.asked) ++requests_;
    return std::move(answer.response);
}

Result<ReadRules> PageFetch::read_rules(const Job& job) const {
    ReadRules rules = rules_.read;
    if (job.unit.fresh) rules.since = 0;
    TARN_ASSIGN(rules.keep, kept_values(rules_.request, job));
    return rules;
}

Outcome PageFetch::failed(Error error, const std::string& url) const {
    Outcome outcome;
    error.place = url.empty() ? rules_.place : rules_.place + ", " + shown_path(url);
    outcome.error = std::move(error);
    return outcome;
}

Outcome PageFetch::refused(const http::Request& request, const http::Response& response) const {
    ErrorKind kind = is_transient(response.status) ? ErrorKind::transient : ErrorKind::terminal;
    std::string message = "the source answered " + std::to_string(response.status);
    std::string text = one_line(response.body);
    return failed({kind, text.empty() ? message : message + ": " + text, {}, next_step(response.status)},
                  request.url);
}

bool PageFetch::asks_again(int attempt) const {
    constexpr int most = 3;
    if (attempt >= most) return false;
    for (Millis left = rules_.pause << attempt; left > 0 && !cancel_.cancelled(); left -= 50) {
        std::this_thread::sleep_for(std::chrono::milliseconds(std::min<Millis>(left, 50)));
    }
    return !cancel_.cancelled();
}

Outcome PageFetch::fetch_page(const Job& job, bool conditional) const {
    auto built = page_request(rules_.request, job);
    if (!built) return failed(built.error(), "");
    std::string name = built->method + " " + built->url + " " + built->body;
    std::string known_etag = conditional ? rules_.known->etag(name) : "";
    if (!known_etag.empty()) built->headers.emplace_back("If-None-Match", known_etag);

    Outcome outcome;
    for (int attempt = 0;; ++attempt) {
        auto response = ask(*built, attempt > 0);
        if (!response) return failed(response.error(), built->url);
        if (response->status == 304 && !known_etag.empty()) {
            auto known = rules_.known->recall(name);
            if (!known) return failed(known.error(), built->url);
            // What the page held is gone from the raw table: read it really.
            if (!*known) return fetch_page(job, false);
            outcome.known = std::move((*known)->items);
            for (const auto& item : outcome.known) outcome.bytes += item.data.size();
            outcome.followers = (*known)->followers;
            outcome.url = built->url;
            return outcome;
        }
        std::string etag = rules_.known != nullptr ? response->header("etag") : "";
        outcome = read(job, *built, std::move(*response), std::move(etag));
        bool broken = outcome.error && outcome.error->kind == ErrorKind::bad_data;
        if (!broken || !asks_again(attempt)) break;
    }
    outcome.request = std::move(name);
    return outcome;
}

Outcome PageFetch::read(const Job& job, const http::Request& request, http::Response response,
                        std::string etag) const {
    const Stream& stream = *rules_.request.stream;
    bool details = rules_.request.details;
    Outcome outcome;
    outcome.url = request.url;
    if (stream.window && !details && holds(stream.window->too_many, response.status)) {
        outcome.split = true;
    } else if (holds(stream.skip, response.status) ||
               (details && (response.status == 404 || response.status == 410))) {
        outcome.skipped = outcome.partial = true;
    } else if (response.status < 200 || response.status >= 300 || is_sign_in(response)) {
        return refused(request, response);
    } else if (!is_empty(response)) {
        outcome.etag = std::move(etag);
        if (auto read = read_body(job, std::move(response), outcome); !read)
            return failed(read.error(), request.url);
    }
    return outcome;
}

Result<> PageFetch::read_body(const Job& job, http::Response response, Outcome& out) const {
    const Stream& stream = *rules_.request.stream;
    TARN_ASSIGN(auto rules, read_rules(job));
    TARN_ASSIGN(out.body, read_page(std::move(response.body), rules, job.at.ordinal));
    out.bytes = out.body.text->size() + out.body.items.size() * sizeof(Item);
    out.partial = out.body.reached_older;
    if (rules_.request.details) return {};
    if (stream.window && job.at.ordinal == 1) {
        out.split = told_number(stream.window->total, response, out.body).value_or(0) >= stream.window->cap;
        if (out.split) return {};
    }
    // The asked URL, since a client may show the one that it was led to.
    response.url = out.url;
    TARN_ASSIGN(out.followers, followers(stream.page, job.at, response, out.body, rules_.one_by_one));
    return {};
}

}  // namespace tarn::connector
