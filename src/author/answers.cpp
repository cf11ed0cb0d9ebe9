#include "author/answers.h"

#include <algorithm>
#include <filesystem>
#include <ranges>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "author/urls.h"
#include "base/text.h"

namespace tarn::author {
namespace {

namespace fs = std::filesystem;

std::string same_json(const std::string& body) {
    auto json = nlohmann::json::parse(body, nullptr, false);
    return json.is_discarded() ? std::string(trimmed(body)) : json.dump();
}

std::string absolute(const std::string& target, const std::string& endpoint) {
    if (!target.starts_with('/')) return http::join_url(endpoint, target);
    auto root = endpoint.find('/', endpoint.find("://") + 3);
    return endpoint.substr(0, root) + target;
}

// Two requests that mean the same have one key.
std::string request_key(const std::string& method, const std::string& url, const std::string& body) {
    UrlParts parts = url_parts(url);
    std::ranges::sort(parts.query);
    std::string key = method + " " + parts.path;
    char sign = '?';
    for (const auto& [name, value] : parts.query) {
        key += sign + name + "=" + value;
        sign = '&';
    }
    return body.empty() ? key : key + " " + same_json(body);
}

Result<> read_request_line(const std::string& line, const std::string& place, Answer& out) {
    auto blank = line.find(' ');
    auto second = blank == std::string::npos ? blank : line.find(' ', blank + 1);
    out.method = line.substr(0, blank);
    if (blank != std::string::npos) out.target = line.substr(blank + 1, second - blank - 1);
    if (second != std::string::npos) out.request_body = trimmed(line.substr(second));
    bool legal = (out.method == "GET" || out.method == "POST") && !out.target.empty();
    if (legal && (out.method == "POST" || out.request_body.empty())) return {};
    return fail(ErrorKind::bad_data, "an answer starts with its request", place,
                "Write `GET path?name=value`, or `POST path {\"the\": \"body\"}`; blanks in them as %20.");
}

Result<> read_status_line(const std::string& line, const std::string& place, Answer& out) {
    auto digits = std::string(trimmed(line.substr(5)));
    bool legal = digits.size() == 3 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (!legal) return fail(ErrorKind::bad_data, "expected `HTTP` and a status such as 404", place);
    out.response.status = std::stoi(digits);
    return {};
}

Result<> read_header_line(const std::string& line, const std::string& place, Answer& out) {
    auto colon = line.find(':');
    if (colon == std::string::npos || colon == 0) {
        return fail(ErrorKind::bad_data,
                    "expected `HTTP 200`, a header `Name: value`, or an empty line before the body", place);
    }
    out.response.headers.emplace(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    return {};
}

}  // namespace

Result<Answer> parse_answer(const std::string& text, const std::string& file) {
    Answer answer;
    answer.file = file;
    answer.response.status = 200;
    std::istringstream in(text);
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        if (line.ends_with('\r')) line.pop_back();
        std::string place = file + ":" + std::to_string(number);
        if (number == 1) {
            TARN_TRY(read_request_line(line, place, answer));
        } else if (line.empty()) {
            break;
        } else if (line.starts_with("HTTP ")) {
            TARN_TRY(read_status_line(line, place, answer));
        } else {
            TARN_TRY(read_header_line(line, place, answer));
        }
    }
    if (answer.target.empty()) return fail(ErrorKind::bad_data, "is empty", file);
    std::ostringstream body;
    body << in.rdbuf();
    answer.response.body = trimmed(body.str());
    return answer;
}

std::string format_answer(const Answer& answer) {
    std::string text = answer.method + " " + answer.target;
    if (!answer.request_body.empty()) text += " " + answer.request_body;
    text += "\n";
    if (answer.response.status != 200) text += fmt::format("HTTP {}\n", answer.response.status);
    for (const auto& [name, value] : answer.response.headers) text += name + ": " + value + "\n";
    return text + "\n" + answer.response.body + "\n";
}

Result<std::vector<Answer>> read_answers(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(folder, code)) {
        if (entry.path().extension() == ".http") {
            files.push_back(entry.path().string());
        } else {
            return fail(ErrorKind::bad_data, "is no answer: their names end in .http", entry.path().string());
        }
    }
    std::ranges::sort(files);
    std::vector<Answer> answers;
    for (const auto& file : files) {
        std::string text;
        if (!read_file(file, text)) return fail(ErrorKind::bad_data, "cannot be read", file);
        TARN_ASSIGN(auto answer, parse_answer(text, file));
        answers.push_back(std::move(answer));
    }
    return answers;
}

std::string target_of(const std::string& url, const std::string& endpoint) {
    std::string base = endpoint.ends_with('/') ? endpoint : endpoint + "/";
    if (url.starts_with(base)) return url.substr(base.size());
    auto root = url.find('/', url.find("://") + 3);
    return root == std::string::npos ? "/" : url.substr(root);
}

Result<> AnswerBook::add(std::vector<Answer> answers) {
    auto& folder = folders_.emplace_back();
    for (auto& answer : answers) {
        std::string key = request_key(answer.method, absolute(answer.target, endpoint_), answer.request_body);
        auto [known, added] = folder.emplace(key, answer);
        if (!added)
            return fail(ErrorKind::bad_data, "answers the same request as " + known->second.file,
                        answer.file);
    }
    return {};
}

std::vector<std::string> AnswerBook::unasked() const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> files;
    if (folders_.empty()) return files;
    for (const auto& [key, answer] : folders_.back()) {
        if (!asked_.contains(answer.file)) files.push_back(answer.file);
    }
    return files;
}

// Answers to other parameters or bodies of the same path: most often a value is not as the author thinks.
std::string AnswerBook::near(const http::Request& request) const {
    std::string path = url_parts(request.url).path;
    std::vector<std::string> found;
    for (const auto& folder : folders_) {
        for (const auto& [key, answer] : folder) {
            if (url_parts(absolute(answer.target, endpoint_)).path != path || found.size() == 5) continue;
            found.push_back(fs::path(answer.file).filename().string() + " (" + answer.method + " " +
                            answer.target +
                            (answer.request_body.empty() ? ")" : " " + answer.request_body + ")"));
        }
    }
    return found.empty() ? "" : " The same path is answered by " + join(found, ", ") + ".";
}

Result<http::Response> AnswerBook::fetch(http::Request request) {
    std::string key = request_key(request.method, request.url, request.body);
    std::lock_guard lock(mutex_);
    ++stats_.requests;
    for (const auto& folder : std::ranges::reverse_view(folders_)) {
        auto found = folder.find(key);
        if (found == folder.end()) continue;
        asked_.insert(found->second.file);
        http::Response response = found->second.response;
        response.url = request.url;
        return response;
    }
    std::string line = request.method + " " + target_of(request.url, endpoint_);
    if (!request.body.empty()) line += " " + same_json(request.body);
    return fail(ErrorKind::terminal, "the test has no answer for `" + line + "`", {},
                "Add a file to answers/ that starts with this line." + near(request));
}

http::ClientStats AnswerBook::stats() const {
    std::lock_guard lock(mutex_);
    return stats_;
}

}  // namespace tarn::author
