// Fetches and reads one page: what its status means, the retries of an answer that is not JSON, the pages behind it.
// Thread rule: fetch() from any thread. Errors: in the Outcome, with the stream and the path as place.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/cancel.h"
#include "connector/known_pages.h"
#include "connector/request.h"
#include "connector/schedule.h"
#include "connector/shared_answers.h"
#include "http/client.h"

namespace tarn::connector {

class PageFetch {
  public:
    struct Rules {
        RequestBase request;
        ReadRules read;
        std::string place;                  // stream, for messages
        bool one_by_one = false;            // see followers()
        bool filtered = false;              // the source leaves out what is older than `since`
        Millis pause = 0;                   // before a broken answer is asked for again
        const KnownPages* known = nullptr;  // null: no conditional requests
        SharedAnswers* shared = nullptr;    // null: answers serve this stream only
        std::string asker;                  // the connection, for `once`
    };

    PageFetch(Rules rules, http::Client& client, CancelToken cancel)
        : rules_(std::move(rules)), client_(client), cancel_(std::move(cancel)) {}

    Outcome fetch(const Job& job) const;
    [[nodiscard]] std::int64_t requests() const { return requests_.load(); }

  private:
    Outcome fetch_page(const Job& job, bool conditional) const;
    Result<http::Response> ask(const http::Request& request, bool anew) const;
    Result<ReadRules> read_rules(const Job& job) const;
    Outcome read(const Job& job, const http::Request& request, http::Response response,
                 std::string etag) const;
    Result<> read_body(const Job& job, http::Response response, Outcome& out) const;
    [[nodiscard]] bool asks_again(int attempt) const;
    [[nodiscard]] Outcome refused(const http::Request& request, const http::Response& response) const;
    Outcome failed(Error error, const std::string& url) const;

    Rules rules_;
    http::Client& client_;
    CancelToken cancel_;
    mutable std::atomic<std::int64_t> requests_{0};
};

}  // namespace tarn::connector
