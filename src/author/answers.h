// Recorded answers of a source: files that a test plays instead of asking the source.
//
//     GET projects/7/tasks?page=2        method, path below the endpoint (or from the host's root: /…), for POST the body
//     HTTP 404                           status; 200 where this line is missing
//     Link: <https://…>; rel="next"      headers, if any
//
//     {"tasks": []}                      behind an empty line: the body
//
// A request is found whatever the order of its parameters; JSON bodies are compared as JSON.
// Thread rule: AnswerBook is read-only but for the note of what was asked, which any thread may make.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/client.h"

namespace tarn::author {

// Where recorded sources seem to be. No such host can exist.
constexpr const char* recorded_endpoint = "https://source.example/";

struct Answer {
    std::string method = "GET", target, request_body;
    http::Response response;
    std::string file;
};

// bad_data with file:line and what is legal.
Result<Answer> parse_answer(const std::string& text, const std::string& file);
std::string format_answer(const Answer& answer);

// Every *.http file of a folder, in the order of names; none where there is no folder.
Result<std::vector<Answer>> read_answers(const std::string& folder);

// Path below the endpoint, else from the host's root.
std::string target_of(const std::string& url, const std::string& endpoint);

class AnswerBook : public http::Client {
  public:
    explicit AnswerBook(std::string endpoint) : endpoint_(std::move(endpoint)) {}

    // What later folders answer goes before what earlier ones do. bad_data: one folder answers a request twice.
    Result<> add(std::vector<Answer> answers);
    // Files of the folder added last that nobody asked for.
    [[nodiscard]] std::vector<std::string> unasked() const;

    // terminal: there is no answer, with what is there for the same path.
    Result<http::Response> fetch(http::Request request) override;
    [[nodiscard]] http::ClientStats stats() const override;

  private:
    [[nodiscard]] std::string near(const http::Request& request) const;

    std::string endpoint_;
    std::vector<std::map<std::string, Answer>> folders_;
    mutable std::mutex mutex_;
    std::set<std::string> asked_;  // files
    http::ClientStats stats_;
};

}  // namespace tarn::author
