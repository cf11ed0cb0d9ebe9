#include "connector/page_fetch.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "base/text.h"

namespace tarn::connector {
namespace {

bool holds(const std::vector<int>& statuses, int status) { return std::ranges::find(statuses, status) != statuses.end(); }

std::string one_line(const std::string& body) {
    std::string text = valid_utf8(body.substr(0, 200));
    std::ranges::replace_if(text, [](unsigned char c) { return c < ' '; }, ' ');
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

std::int64_t total_of(const std::string& where, const http::Response& response, const PageBody& body) {
    std::string text;
    if (where.starts_with('/')) {
        auto found = body.values.find(where);
        text = found == body.values.end() ? "" : found->second.value_or("");
    } else {
        text = response.header(lower(where));
    }
    std::int64_t total = 0;
    std::from_chars(text.data(), text.data() + text.size(), total);
    return total;
}

}  // namespace

Outcome PageFetch::fetch(const Job& job) const {
    Outcome outcome = fetch_page(job, rules_.known != nullptr);
    outcome.partial = outcome.partial || rules_.filtered;
    return outcome;
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
    return failed({kind, text.empty() ? message : message + ": " + text, {}, next_step(response.status)}, request.url);
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
        ++requests_;
        auto response = client_.fetch(*built);
        if (!response) return failed(response.error(), built->url);
        if (response->status == 304 && !known_etag.empty()) {
            auto known = rules_.known->recall(name);
            if (!known) return failed(known.error(), built->url);
            // What the page held is gone from the raw table: read it really.
            if (!*known) return fetch_page(job, false);
            outcome.known = std::move((*known)->items);
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

Outcome PageFetch::read(const Job& job, http::Request request, http::Response response, std::string etag) const {
    const Stream& stream = *rules_.request.stream;
    Outcome outcome;
    outcome.url = request.url;
    if (stream.window && !rules_.request.details && holds(stream.window->too_many, response.status)) {
        outcome.split = true;
        return outcome;
    }
    bool gone = rules_.request.details && (response.status == 404 || response.status == 410);
    if (holds(stream.skip, response.status) || gone) {
        outcome.skipped = outcome.partial = true;
        return outcome;
    }
    if (response.status < 200 || response.status >= 300 || is_sign_in(response)) return refused(request, response);
    if (is_empty(response)) return outcome;

    auto body = read_page(std::move(response.body), rules_.read, job.at.ordinal);
    if (!body) return failed(body.error(), request.url);
    if (stream.window && !rules_.request.details && job.at.ordinal == 1 &&
        total_of(stream.window->total, response, *body) >= stream.window->cap) {
        outcome.split = true;
        return outcome;
    }
    if (!rules_.request.details) {
        // The asked URL, since a client may show the one that it was led to.
        response.url = request.url;
        auto behind = followers(stream.page, job.at, response, *body, rules_.one_by_one);
        if (!behind) return failed(behind.error(), request.url);
        outcome.followers = std::move(*behind);
    }
    outcome.partial = body->reached_older;
    outcome.bytes = body->text->size() + body->items.size() * sizeof(Item);
    outcome.body = std::move(*body);
    outcome.etag = std::move(etag);
    return outcome;
}

}  // namespace tarn::connector
