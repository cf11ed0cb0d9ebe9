#include "connector/remote.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/base64.h"
#include "connector/answer.h"
#include "connector/request.h"

namespace tarn::connector {
namespace {

using Json = nlohmann::json;

// One call stops at about so many children, and after so many requests whatever they gave.
constexpr std::size_t enough = 100;
constexpr int most_requests = 10;

// Where a list goes on: a level's index among those of the group, and the position in it.
struct Place {
    std::size_t level = 0;
    Position at;
};

std::string token_of(const Place& place) {
    Json json = {{"level", place.level}, {"at", to_json(place.at)}};
    return base64(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<Place> place_of(const std::string& token, std::size_t levels) {
    if (token.empty()) return Place{};
    auto json = Json::parse(from_base64(token).value_or(""), nullptr, false);
    bool whole = json.is_object() && json.contains("level") && json["level"].is_number_unsigned() &&
                 json["level"].get<std::size_t>() < levels && json.contains("at") && json["at"].is_string();
    if (whole) return Place{json["level"].get<std::size_t>(), position_from_json(json["at"])};
    return fail(ErrorKind::bad_data, "is none of this list's tokens", "pageToken",
                "Begin again without a token.");
}

std::string text_of(const Json& value) {
    if (value.is_null()) return {};
    return value.is_string() ? value.get<std::string>()
                             : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json look_up(const Json& row, const std::string& pointer) {
    try {
        Json::json_pointer at(pointer);
        return row.contains(at) ? row[at] : Json();
    } catch (const Json::exception&) {
        return nullptr;  // no pointer
    }
}

// A pointer, or a text with `{/pointer}` in it.
Json field_of(const Json& row, const std::string& declared) {
    if (declared.starts_with('/')) return look_up(row, declared);
    std::string out;
    for (std::size_t at = 0; at < declared.size();) {
        auto open = declared.find("{/", at);
        auto close = open == std::string::npos ? open : declared.find('}', open);
        if (close == std::string::npos) return out + declared.substr(at);
        out += declared.substr(at, open - at);
        out += text_of(look_up(row, declared.substr(open + 1, close - open - 1)));
        at = close + 1;
    }
    return out;
}

RemoteChild child_of(const RemoteLevel& level, const Json& row) {
    RemoteChild child;
    child.is_group = level.kind == "group";
    child.columns = Json::object();
    for (const auto& [name, declared] : level.fields) {
        auto value = field_of(row, declared);
        if (name == "id") child.id = text_of(value);
        if (name == "name") child.name = text_of(value);
        if (name == "fullName") child.full_name = text_of(value);
        child.columns[name] = std::move(value);
    }
    if (child.full_name.empty()) child.full_name = child.name;
    return child;
}

Failure refused(int status, const std::string& place) {
    std::string advice = "Check the endpoint and try again later.";
    if (status == 401) advice = "Check the credentials of the connection.";
    if (status == 403) advice = "Check the rights of the connection's token.";
    if (status == 404) advice = "Check the endpoint, and that the connection's token may see it.";
    bool later = status >= 500 || status == 429 || status == 408;
    return fail(later ? ErrorKind::transient : ErrorKind::terminal,
                fmt::format("the source answers with status {}", status), place, advice);
}

// What a request of the stream engine needs to know of a level.
Stream stream_of(const RemoteLevel& level, int size) {
    Stream stream;
    stream.path = level.path;
    stream.query = level.query;
    stream.page = level.page;
    stream.rows = level.rows;
    if (size > 0 && stream.page.size > 0) stream.page.size = size;
    return stream;
}

// A group's id comes from a caller and becomes a part of a path.
bool climbs(const std::string& group) {
    return ("/" + group + "/").find("/../") != std::string::npos || group.find('\\') != std::string::npos;
}

bool is_counted(const Page& page) {
    return page.kind == "page" || page.kind == "offset" || page.kind == "link";
}

}  // namespace

std::vector<const RemoteLevel*> RemoteList::levels_of(const std::string& group) const {
    std::vector<const RemoteLevel*> levels;
    for (const auto& level : connector_.scope.remote) {
        bool of_group =
            level.when != "search" && level.when.empty() == group.empty() && group.starts_with(level.when);
        if (of_group || level.when == "any") levels.push_back(&level);
    }
    return levels;
}

Result<RemoteList::Listed> RemoteList::list(const RemoteLevel& level, const Values& values,
                                            const Position& at, int size) {
    Stream stream = stream_of(level, size);
    RequestBase base{.stream = &stream, .endpoint = endpoint_, .values = values};
    TARN_ASSIGN(auto request, page_request(base, {.at = at}));
    auto url = request.url;
    auto place = shown_path(url);
    TARN_ASSIGN(auto response, client_.fetch(std::move(request)));
    if (response.status >= 400) return refused(response.status, place);
    response.url = url;
    ReadRules rules{
        .rows = level.rows, .keep = level.keep, .drop = level.drop, .look_up = page_look_ups(stream)};
    auto body = read_page(std::move(response.body), rules, at.ordinal);
    if (!body) return fail(ErrorKind::terminal, body.error().message, place, "Check the endpoint.");
    TARN_ASSIGN(auto behind, followers(stream.page, at, response, *body, true));
    Listed listed;
    for (const auto& item : body->items) {
        auto row = Json::parse(item.data, nullptr, false);
        if (row.is_discarded()) continue;
        if (auto child = child_of(level, row); !child.id.empty()) listed.children.push_back(std::move(child));
    }
    listed.next = behind.next;
    if (!listed.next && behind.last > at.ordinal) listed.next = Position{.ordinal = at.ordinal + 1};
    return listed;
}

Result<RemotePage> RemoteList::children(const std::string& group, const std::string& token) {
    auto levels = levels_of(group);
    if (levels.empty() || climbs(group))
        return fail(ErrorKind::bad_data, "there is no such group '" + group.substr(0, 100) + "'", "groupId");
    TARN_ASSIGN(auto place, place_of(token, levels.size()));
    Values values{.outer = &fields_, .texts = {{"group", group}, {"search", ""}}};
    RemotePage page;
    std::optional<Error> first;
    bool any = !token.empty();
    for (int requests = 0; place.level < levels.size(); ++requests) {
        if (page.children.size() >= enough || requests == most_requests) {
            page.next_token = token_of(place);
            break;
        }
        auto listed = list(*levels[place.level], values, place.at, 0);
        bool may_refuse = group.empty() && levels.size() > 1;
        if (!listed && (!may_refuse || listed.error().kind != ErrorKind::terminal))
            return fail(listed.error());
        if (!listed && !first) first = listed.error();
        any = any || listed.has_value();
        if (listed) {
            page.children.insert(page.children.end(), std::make_move_iterator(listed->children.begin()),
                                 std::make_move_iterator(listed->children.end()));
        }
        place = listed && listed->next ? Place{place.level, *listed->next} : Place{place.level + 1, {}};
    }
    if (!any && first) return fail(std::move(*first));
    return page;
}

int RemoteList::search_size(int wanted) const {
    for (const auto& level : connector_.scope.remote) {
        if (level.when == "search" && level.page.size > 0) return std::min(wanted, level.page.size);
    }
    return wanted;
}

Result<std::vector<RemoteChild>> RemoteList::search(const std::string& text, std::int64_t page, int size) {
    std::vector<RemoteChild> found;
    Values values{.outer = &fields_, .texts = {{"group", ""}, {"search", text}}};
    for (const auto& level : connector_.scope.remote) {
        if (level.when != "search" || (page > 1 && !is_counted(level.page))) continue;
        TARN_ASSIGN(auto listed, list(level, values, {.ordinal = page}, size));
        found.insert(found.end(), std::make_move_iterator(listed.children.begin()),
                     std::make_move_iterator(listed.children.end()));
    }
    return found;
}

}  // namespace tarn::connector
