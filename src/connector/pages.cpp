#include "connector/pages.h"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tarn::connector {
namespace {

std::optional<std::int64_t> to_number(const std::optional<std::string>& text) {
    std::int64_t value = 0;
    if (!text) return std::nullopt;
    auto word = trimmed(*text);
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (word.empty() || error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    return value;
}

// Value of a pointer into the body or of a header.
std::optional<std::string> look_up(const std::string& what, const http::Response& response,
                                   const PageBody& body) {
    if (what.empty()) return std::nullopt;
    if (what.front() != '/') {
        std::string value = response.header(lower(what));
        return value.empty() ? std::nullopt : std::optional(value);
    }
    auto found = body.values.find(what);
    return found == body.values.end() ? std::nullopt : found->second;
}

std::map<std::string, std::string> query_of(const std::string& url) {
    std::map<std::string, std::string> query;
    auto mark = url.find('?');
    if (mark == std::string::npos) return query;
    for (const auto& part : split(url.substr(mark + 1, url.find('#') - mark - 1), '&')) {
        auto sign = part.find('=');
        query[part.substr(0, sign)] = sign == std::string::npos ? "" : part.substr(sign + 1);
    }
    return query;
}

const std::string& link_param(const Page& page) {
    static const std::string usual = "page";
    return page.param.empty() ? usual : page.param;
}

// The number of the last page where pages can be asked for by number: the next page's URL differs from this one's in the number only.
std::optional<std::int64_t> last_link(const Page& page, const std::map<std::string, std::string>& links,
                                      const std::string& asked) {
    auto next = links.find("next");
    auto last = links.find("last");
    if (next == links.end() || last == links.end()) return std::nullopt;
    auto ours = query_of(asked);
    for (const auto& [name, value] : query_of(next->second)) {
        if (name != link_param(page) && !ours.contains(name)) return std::nullopt;
    }
    auto query = query_of(last->second);
    auto number = query.find(link_param(page));
    return number == query.end() ? std::nullopt : to_number(number->second);
}

Followers link_followers(const Page& page, const Position& at, const http::Response& response) {
    auto links = http::parse_link(response.header("link"));
    auto next = links.find("next");
    if (next == links.end()) return {};
    if (auto last = last_link(page, links, response.url); last && at.url.empty())
        return {*last - page.start + 1, {}};
    if (at.is_index()) return {at.ordinal + 1, {}};
    return {0, Position{at.ordinal + 1, "", next->second}};
}

Followers counted_followers(const Page& page, const Position& at, const http::Response& response,
                            const PageBody& body) {
    if (auto total = told_number(page.total, response, body)) {
        bool pages = page.kind == "page" && page.unit == "pages";
        if (pages) return {*total, {}};
        return {(*total + page.size - 1) / std::max(page.size, 1), {}, *total};
    }
    bool more = body.count >= page.size;
    if (!page.more.empty()) more = look_up(page.more, response, body).value_or("false") == "true";
    return {more ? at.ordinal + 1 : 0, {}};
}

Result<Followers> chained_followers(const Page& page, const Position& at, const http::Response& response,
                                    const PageBody& body) {
    if (!page.more.empty() && look_up(page.more, response, body).value_or("false") != "true")
        return Followers{};
    std::string next = look_up(page.next, response, body).value_or("");
    if (next.empty()) return Followers{};
    Position position{at.ordinal + 1, "", ""};
    (page.kind == "next" ? position.url : position.cursor) = next;
    if (position.cursor == at.cursor && position.url == at.url) {
        return fail(ErrorKind::terminal, "the source gives the same next page again");
    }
    return Followers{0, position};
}

}  // namespace

std::vector<std::string> page_look_ups(const Stream& stream) {
    std::vector<std::string> pointers;
    auto add = [&](const std::string& what) {
        if (what.starts_with('/') && !contains(pointers, what)) pointers.push_back(what);
    };
    add(stream.page.total);
    add(stream.page.more);
    add(stream.page.next);
    if (stream.window) add(stream.window->total);
    return pointers;
}

Result<Followers> followers(const Page& page, const Position& at, const http::Response& response,
                            const PageBody& body, bool one_by_one) {
    Followers out;
    if (body.reached_older) return out;
    if (page.kind == "link") {
        out = link_followers(page, at, response);
    } else if (page.kind == "page" || page.kind == "offset") {
        out = counted_followers(page, at, response, body);
    } else if (page.kind == "cursor" || page.kind == "next") {
        TARN_ASSIGN(out, chained_followers(page, at, response, body));
    }
    if (one_by_one) out.last = std::min(out.last, at.ordinal + 1);
    return out;
}

std::optional<std::int64_t> told_number(const std::string& where, const http::Response& response,
                                        const PageBody& body) {
    return to_number(look_up(where, response, body));
}

std::int64_t page_number(const Page& page, const Position& at) { return page.start + at.ordinal - 1; }
std::int64_t page_offset(const Page& page, const Position& at) {
    return page.start + (at.ordinal - 1) * page.size;
}

Ordered position_query(const Page& page, const Position& at) {
    Ordered query;
    if (!page.size_param.empty()) query.emplace_back(page.size_param, std::to_string(page.size));
    if (page.kind == "link") {
        if (at.ordinal > 1) query.emplace_back(link_param(page), std::to_string(page_number(page, at)));
    } else if (page.param.empty()) {
        return query;
    } else if (page.kind == "page") {
        query.emplace_back(page.param, std::to_string(page_number(page, at)));
    } else if (page.kind == "offset") {
        query.emplace_back(page.param, std::to_string(page_offset(page, at)));
    } else if (page.kind == "cursor" && !at.cursor.empty()) {
        query.emplace_back(page.param, at.cursor);
    }
    return query;
}

std::string to_json(const Position& position) {
    nlohmann::json json = {{"page", position.ordinal}};
    if (!position.cursor.empty()) json["cursor"] = position.cursor;
    if (!position.url.empty()) json["url"] = position.url;
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Position position_from_json(const std::string& text) {
    auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return {};
    auto page = json.find("page");
    auto word = [&](const char* name) {
        return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : "";
    };
    if (page == json.end() || !page->is_number_integer() || page->get<std::int64_t>() < 1) return {};
    return {page->get<std::int64_t>(), word("cursor"), word("url")};
}

}  // namespace tarn::connector
