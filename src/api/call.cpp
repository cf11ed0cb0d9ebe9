#include "api/call.h"

#include "base/json_depth.h"
#include "run/home_key.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

Result<std::int64_t> whole_number(const std::string& text, const std::string& name) {
    bool digits =
        !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
    if (digits) return std::stoll(text);
    return fail(ErrorKind::bad_data, "must be a whole number, found '" + text.substr(0, 50) + "'", name);
}

}  // namespace

Answer envelope(int status, const std::string& message, Json data) {
    Json body = {{"code", 0}, {"success", status < 400}, {"message", message}, {"causes", nullptr}};
    body["data"] = std::move(data);
    return {.status = status, .body = std::move(body)};
}

Answer answer_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::bad_data: return envelope(400, error.text());
        case ErrorKind::transient: return envelope(503, error.text());
        case ErrorKind::cancelled: return envelope(504, error.text());
        default: return envelope(run::is_key_problem(error) ? 503 : 500, error.text());
    }
}

Refusal refuse(int status, const std::string& message, Json data) {
    return Refusal(envelope(status, message, std::move(data)));
}

Result<Json> Call::json() const {
    if (body.empty()) return Json::object();
    if (is_too_deep(body)) {
        return fail(ErrorKind::bad_data,
                    "the body is nested more than " + std::to_string(deepest_json) + " levels deep");
    }
    try {
        return Json::parse(body);
    } catch (const Json::exception& error) {
        std::string what = error.what();
        // "[json.exception.parse_error.101] parse error at line 1, column 2: ...", with what was read behind it
        auto at = what.find("] ");
        what = at == std::string::npos ? what : what.substr(at + 2);
        return fail(ErrorKind::bad_data, "the body is not JSON: " + what.substr(0, what.find("; last read")));
    }
}

Result<Json> Call::object() const {
    TARN_ASSIGN(auto parsed, json());
    if (!parsed.is_object()) return fail(ErrorKind::bad_data, "the body must be a JSON object");
    return parsed;
}

Result<std::int64_t> Call::id(const std::string& name) const {
    auto found = path.find(name);
    TARN_ASSIGN(auto id, whole_number(found == path.end() ? std::string() : found->second, name));
    if (id == 0) return fail(ErrorKind::bad_data, "must be above zero", name);
    return id;
}

Result<std::int64_t> Call::query_number(const std::string& name, std::int64_t otherwise) const {
    auto text = query_text(name);
    return text.empty() ? Result<std::int64_t>(otherwise) : whole_number(text, name);
}

std::string Call::query_text(const std::string& name) const {
    auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
}

}  // namespace tarn::api
