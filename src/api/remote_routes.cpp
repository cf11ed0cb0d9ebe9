// What a connection can see at its source: lists to choose scopes from, and plain requests.
#include <algorithm>

#include "api/place.h"
#include "api/source.h"
#include "api/target.h"
#include "base/text.h"
#include "connector/remote.h"
#include "http/url.h"
#include "run/fields.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

connector::Values open_fields(const Place& place) {
    connector::Values values;
    for (const auto& field : place.connector().connection.fields) {
        if (field.kind != "secret") values.texts[field.name] = place.connection.text(field.name);
    }
    return values;
}

Result<Json> shown(const Services& services, const Place& place,
                   const std::vector<connector::RemoteChild>& children, const Json& parent) {
    auto scopes = scopes_of(services, place.connector());
    Json out = Json::array();
    for (const auto& child : children) {
        Json data;
        if (!child.is_group) {
            TARN_ASSIGN(auto row, scopes.from_remote(child.columns, place.connection.id));
            data = scopes.shown(row);
        }
        out.push_back({{"type", child.is_group ? "group" : "scope"},
                       {"parentId", parent},
                       {"id", child.id},
                       {"name", child.name},
                       {"fullName", child.full_name},
                       {"data", data}});
    }
    return out;
}

Reply<> list_remote(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto source, Source::open(services, place.connector(), place.connection));
    connector::RemoteList list(place.connector(), place.connection.text("endpoint"), open_fields(place),
                               *source);
    auto group = call.query_text("groupId");
    auto page = list.children(group, call.query_text("pageToken"));
    if (!page) return source_refusal(page.error());
    TARN_ASSIGN(auto children, shown(services, place, page->children, group.empty() ? Json() : Json(group)));
    return Answer{.body = {{"children", children}, {"nextPageToken", page->next_token}}};
}

Reply<> search_remote(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    auto text = call.query_text("search");
    if (trimmed(text).empty()) return run::wrong("search", "must be set");
    TARN_ASSIGN(auto paging, paging_of(call, 50));
    TARN_ASSIGN(auto source, Source::open(services, place.connector(), place.connection));
    connector::RemoteList list(place.connector(), place.connection.text("endpoint"), open_fields(place),
                               *source);
    int size = list.search_size(static_cast<int>(paging.size));
    auto found = list.search(text, paging.page, size);
    if (!found) return source_refusal(found.error());
    TARN_ASSIGN(auto children, shown(services, place, *found, Json()));
    return Answer{.body = {{"children", children}, {"page", paging.page}, {"pageSize", size}}};
}

// The request must stay below the connection's endpoint: its credentials go along.
bool climbs(const std::string& rest) {
    auto segments = segments_of(rest);
    bool up = std::ranges::any_of(segments, [](std::string_view segment) {
        auto text = decoded(segment);
        return text == ".." || text == "." || text.find_first_of("/\\") != std::string::npos;
    });
    return up || rest.find("://") != std::string::npos || rest.starts_with('/');
}

Reply<> proxy(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    auto segments = segments_of(call.rest);
    bool has_scheme = !segments.empty() && segments[0].find(':') != std::string_view::npos;
    if (climbs(call.rest) || has_scheme)
        return run::wrong("path", "must stay below the connection's endpoint");
    http::Request request;
    request.url = http::join_url(place.connection.text("endpoint"), call.rest);
    if (!call.raw_query.empty()) request.url += "?" + call.raw_query;
    TARN_ASSIGN(auto source, Source::open(services, place.connector(), place.connection));
    auto response = source->fetch(std::move(request));
    if (!response) return source_refusal(response.error());
    Answer answer{.status = response->status};
    answer.body = Json::parse(response->body, nullptr, false);
    if (answer.body.is_discarded()) return refuse(502, "the source's answer is not JSON");
    // As it came: numbers beyond 64 bits and the order of keys stay.
    answer.content = std::move(response->body);
    answer.content_type = "application/json; charset=utf-8";
    for (const auto& [name, value] : response->headers) {
        if (name.starts_with("x-")) answer.headers.emplace(name, value);
    }
    return answer;
}

}  // namespace

std::vector<Route> remote_routes() {
    const std::string one = "/plugins/{plugin}/connections/{connectionId}", tag = "remote scopes";
    return {
        {.method = "GET",
         .pattern = one + "/remote-scopes",
         .tag = tag,
         .summary = "Groups and scopes that the connection can see",
         .handle = list_remote,
         .needs = Needs::remote,
         .query = {{"groupId", "string", "id of a group; without: the root"},
                   {"pageToken", "string", "nextPageToken of the page before"}},
         .answers = {{200, "RemotePage"}},
         .refusals = {404, 503}},
        {.method = "GET",
         .pattern = one + "/search-remote-scopes",
         .tag = tag,
         .summary = "Scopes at the source that fit a text",
         .handle = search_remote,
         .needs = Needs::search,
         .query = {{"search", "string", "What to look for", true},
                   {"page", "integer", "From 1 on"},
                   {"pageSize", "integer", "1 to 1000, usually 50"}},
         .answers = {{200, "RemoteSearch"}},
         .refusals = {404, 503}},
        {.method = "GET",
         .pattern = one + "/proxy/rest/{path...}",
         .tag = tag,
         .summary = "A GET request to the source with the connection's credentials; its status is passed on",
         .handle = proxy,
         .needs = Needs::connection,
         .answers = {{200, "Any"}},
         .refusals = {404, 502, 503}},
    };
}

}  // namespace tarn::api
