#include "connector/request.h"

#include <algorithm>

#include "base/text.h"

namespace tarn::connector {
namespace {

Values job_values(const RequestBase& base, const Job& job) {
    const Page& page = base.stream->page;
    Values values{.outer = &base.values};
    if (base.stream->window) values.times = {{"from", job.window.from}, {"to", job.window.to}};
    values.texts = {{"page", std::to_string(page_number(page, job.at))},
                    {"offset", std::to_string(page_offset(page, job.at))},
                    {"size", std::to_string(page.size)},
                    {"cursor", job.at.cursor}};
    if (job.unit.parent != nullptr && base.parents != nullptr)
        base.parents->add_values(*job.unit.parent, values);
    return values;
}

void set_parameter(Ordered& query, const std::string& name, const std::string& value) {
    std::erase_if(query, [&](const auto& entry) { return entry.first == name; });
    query.emplace_back(name, value);
}

Result<Ordered> list_query(const Stream& stream, const Values& values, const Position& at) {
    Ordered query;
    for (const auto& [name, text] : stream.query) {
        TARN_ASSIGN(Filled filled, fill(text, values));
        if (!filled.left_empty) query.emplace_back(name, filled.text);
    }
    if (stream.since && !stream.since->query.empty()) {
        TARN_ASSIGN(Filled since, fill(stream.since->format, values));
        if (!since.left_empty) set_parameter(query, stream.since->query, since.text);
    }
    if (stream.window && !stream.window->query.empty()) {
        TARN_ASSIGN(Filled window, fill(stream.window->format, values));
        set_parameter(query, stream.window->query, window.text);
    }
    for (const auto& [name, value] : position_query(stream.page, at)) set_parameter(query, name, value);
    return query;
}

// Length of "https://host:port"; 0 where the text is not an absolute URL.
std::size_t origin_length(const std::string& url) {
    auto scheme = url.find("://");
    if (scheme == std::string::npos) return 0;
    return std::min(url.find_first_of("/?#", scheme + 3), url.size());
}

// A URL that a source names is asked for at the host that was asked first: credentials go nowhere else, and a gateway before the source stays in use.
std::string at_same_host(const std::string& url, const std::string& first) {
    std::string origin = first.substr(0, origin_length(first));
    std::string rest = url.substr(origin_length(url));
    return origin + (rest.starts_with('/') ? "" : "/") + rest;
}

}  // namespace

Result<http::Request> page_request(const RequestBase& base, const Job& job) {
    const Stream& stream = *base.stream;
    Values values = job_values(base, job);
    TARN_ASSIGN(Filled path, fill(base.details ? stream.open->path : stream.path, values, Encoding::path));
    http::Request request;
    request.url = http::join_url(base.endpoint, path.text);
    for (const auto& [name, text] : stream.headers) {
        TARN_ASSIGN(Filled header, fill(text, values));
        if (!header.left_empty) request.headers.emplace_back(name, header.text);
    }
    if (base.details) return request;
    request.method = stream.method;
    if (!stream.body.empty()) {
        TARN_ASSIGN(request.body, fill_body(stream.body, values));
        bool typed = std::ranges::any_of(
            request.headers, [](const auto& header) { return lower(header.first) == "content-type"; });
        if (!typed) request.headers.emplace_back("Content-Type", "application/json");
    }
    if (!job.at.url.empty()) {
        request.url = at_same_host(job.at.url, request.url);
        return request;
    }
    TARN_ASSIGN(Ordered query, list_query(stream, values, job.at));
    char sign = request.url.find('?') == std::string::npos ? '?' : '&';
    for (const auto& [name, value] : query) {
        request.url += sign + http::url_encode(name) + "=" + http::url_encode(value);
        sign = '&';
    }
    return request;
}

std::string shown_path(const std::string& url) { return url.substr(0, url.find_first_of("?#")); }

}  // namespace tarn::connector
