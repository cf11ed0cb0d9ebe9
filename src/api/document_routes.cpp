// The API's own description, and a page that shows it.
#include "api/openapi.h"
#include "api/routes.h"
#include "api/target.h"
#include "api/viewer.h"

namespace tarn::api {
namespace {

// Behind DevLake's proxy the page is at /api/swagger/: calls made from there go below /api as well.
std::string server_of(const Call& call) {
    auto referer = call.headers.find("referer");
    if (referer == call.headers.end()) return "/";
    auto scheme = referer->second.find("://");
    auto path = scheme == std::string::npos ? std::string::npos : referer->second.find('/', scheme + 3);
    if (path == std::string::npos) return "/";
    auto segments = segments_of(std::string_view(referer->second).substr(path));
    return !segments.empty() && segments.front() == "api" ? "/api" : "/";
}

Reply<> document(const Services& services, const Call& call) {
    return Answer{.body = openapi(*services.platform, server_of(call))};
}

Reply<> viewer(const Services&, const Call&) {
    return Answer{.content_type = "text/html; charset=utf-8",
                  .content = viewer_page,
                  .headers = {{"Content-Security-Policy", "default-src 'self' 'unsafe-inline'"}}};
}

// Relative: below a proxy's prefix it stays there.
Reply<> to_viewer(const Services&, const Call&) {
    return Answer{.status = 302, .empty = true, .headers = {{"Location", "swagger/"}}};
}

}  // namespace

std::vector<Route> document_routes() {
    const std::string tag = "description";
    return {
        {.method = "GET",
         .pattern = "/",
         .tag = tag,
         .summary = "To the page that shows the document",
         .handle = to_viewer,
         .answers = {{302, ""}}},
        {.method = "GET",
         .pattern = "/openapi.json",
         .tag = tag,
         .summary = "This API as an OpenAPI document",
         .handle = document,
         .answers = {{200, "Any"}}},
        {.method = "GET",
         .pattern = "/swagger/doc.json",
         .tag = tag,
         .summary = "The same, where DevLake has it",
         .handle = document,
         .answers = {{200, "Any"}}},
        {.method = "GET",
         .pattern = "/swagger/index.html",
         .tag = tag,
         .summary = "A page that shows the document",
         .handle = viewer,
         .answers = {{200, "text/html"}}},
        {.method = "GET",
         .pattern = "/swagger",
         .tag = tag,
         .summary = "The same page",
         .handle = viewer,
         .answers = {{200, "text/html"}}},
    };
}

}  // namespace tarn::api
