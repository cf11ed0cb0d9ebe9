#include "api/routes.h"

#include <exception>
#include <optional>
#include <string_view>

#include "base/log.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// %2F within a segment does not split it, so segments are decoded one by one.
std::string decoded(std::string_view segment) {
    std::string out;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        bool escape = segment[i] == '%' && i + 2 < segment.size() && hex_digit(segment[i + 1]) >= 0 &&
                      hex_digit(segment[i + 2]) >= 0;
        if (!escape) {
            out += segment[i];
            continue;
        }
        out += static_cast<char>(hex_digit(segment[i + 1]) * 16 + hex_digit(segment[i + 2]));
        i += 2;
    }
    return out;
}

std::vector<std::string_view> segments_of(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        path.remove_prefix(path.front() == '/' ? 1 : 0);
        auto end = path.find('/');
        if (auto segment = path.substr(0, end); !segment.empty()) segments.push_back(segment);
        path.remove_prefix(end == std::string_view::npos ? path.size() : end);
    }
    return segments;
}

bool matches(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path,
             std::map<std::string, std::string>& values) {
    if (pattern.size() != path.size()) return false;
    values.clear();
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i].starts_with('{')) {
            values[std::string(pattern[i].substr(1, pattern[i].size() - 2))] = decoded(path[i]);
        } else if (pattern[i] != decoded(path[i])) {
            return false;
        }
    }
    return true;
}

Result<std::int64_t> whole_number(const std::string& text, const std::string& name) {
    bool digits =
        !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
    if (digits) return std::stoll(text);
    return fail(ErrorKind::bad_data, "must be a whole number, found '" + text + "'", name);
}

Answer run_route(const Route& route, const Services& services, const Call& call) {
    try {
        auto answer = route.handle(services, call);
        return answer ? *answer : answer_of(answer.error());
    } catch (const std::exception& error) {
        log()->error("{} {}: {}", route.method, route.pattern, error.what());
        return envelope(500, "internal error; the log has more");
    }
}

}  // namespace

Result<Json> Call::json() const {
    if (body.empty()) return Json::object();
    try {
        return Json::parse(body);
    } catch (const Json::exception& error) {
        std::string what = error.what();
        // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
        auto at = what.find("] ");
        return fail(ErrorKind::bad_data,
                    "the body is not JSON: " + (at == std::string::npos ? what : what.substr(at + 2)));
    }
}

Result<std::int64_t> Call::number(const std::string& name) const {
    auto found = path.find(name);
    return whole_number(found == path.end() ? std::string() : found->second, name);
}

Result<std::int64_t> Call::query_number(const std::string& name, std::int64_t otherwise) const {
    auto text = query_text(name);
    return text.empty() ? Result<std::int64_t>(otherwise) : whole_number(text, name);
}

std::string Call::query_text(const std::string& name) const {
    auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
}

Answer envelope(int status, const std::string& message, Json data) {
    return {status,
            {{"code", 0},
             {"success", status < 400},
             {"message", message},
             {"causes", nullptr},
             {"data", std::move(data)}}};
}

Answer answer_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::bad_data: return envelope(400, error.text());
        case ErrorKind::transient: return envelope(503, error.text());
        default: return envelope(500, error.text());
    }
}

const std::vector<Route>& routes() {
    static const std::vector<Route> all = [] {
        std::vector<Route> made;
        for (const auto& part : {probe_routes(), connection_routes(), pipeline_routes(), query_routes()}) {
            made.insert(made.end(), part.begin(), part.end());
        }
        return made;
    }();
    return all;
}

Answer dispatch(const Services& services, const std::string& method, const std::string& target, Call call) {
    auto path = segments_of(std::string_view(target).substr(0, target.find('?')));
    if (!path.empty() && path.front() == "api") path.erase(path.begin());
    for (const auto& route : routes()) {
        if (route.method == method && matches(segments_of(route.pattern), path, call.path))
            return run_route(route, services, call);
    }
    return envelope(404, "there is no " + method + " " + target.substr(0, target.find('?')));
}

}  // namespace tarn::api
