#include "run/lookup.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>
#include <nlohmann/json.hpp>

#include "base/json_depth.h"
#include "base/text.h"
#include "base/time.h"
#include "connector/placeholders.h"
#include "http/url.h"
#include "run/fields.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;
using connector::Lookup;
using connector::LookupStep;
using connector::Ordered;

// `*` in a pointer stands for every item of a list.
std::vector<const Json*> found_at(const Json& from, const std::string& pointer) {
    std::vector<const Json*> out = {&from};
    for (const auto& name : split(pointer, '/')) {
        std::vector<const Json*> next;
        for (const auto* value : out) {
            if (name == "*" && value->is_array()) {
                for (const auto& item : *value) next.push_back(&item);
            } else if (value->is_object() && value->contains(name)) {
                next.push_back(&(*value)[name]);
            }
        }
        out = std::move(next);
    }
    return out;
}

Result<Json> asked(const LookupStep& step, const std::string& endpoint, const connector::Values& values,
                   http::Client& client) {
    // A slash in a value must not lead elsewhere.
    connector::Values encoded = values;
    for (auto& [name, text] : encoded.texts) text = http::url_encode(text);
    TARN_ASSIGN(auto path, connector::fill(step.path, encoded));
    http::Request request{.url = http::join_url(endpoint, path.text)};
    char mark = request.url.find('?') == std::string::npos ? '?' : '&';
    for (const auto& [name, value] : step.query) {
        TARN_ASSIGN(auto filled, connector::fill(value, values));
        request.url += mark + http::url_encode(name) + "=" + http::url_encode(filled.text);
        mark = '&';
    }
    auto place = http::shown_url(request.url);
    TARN_ASSIGN(auto response, client.fetch(std::move(request)));
    if (response.status >= 400)
        return fail(ErrorKind::terminal, fmt::format("the source answers with status {}", response.status),
                    place, "Check what was asked for, and the rights of the connection.");
    auto answer = is_too_deep(response.body) ? Json() : Json::parse(response.body, nullptr, false);
    if (!answer.is_structured()) return fail(ErrorKind::terminal, "the answer is not JSON", place);
    return answer;
}

Millis time_of(const Json& item, const std::string& name) {
    Millis time = 0;
    auto found = item.is_object() ? item.find(name) : item.end();
    bool told = item.is_object() && found != item.end() && found->is_string();
    return told && parse_time(found->get_ref<const std::string&>(), time) == Parsed::ok ? time : 0;
}

std::vector<std::string> texts_of(const LookupStep& step, const Json& answer) {
    std::vector<std::string> out;
    if (!step.keys.empty()) {
        for (const auto* object : found_at(answer, step.keys)) {
            if (!object->is_object()) continue;
            for (const auto& [name, value] : object->items()) out.push_back(name);
        }
        std::ranges::sort(out);
        return out;
    }
    auto items = found_at(answer, step.items);
    if (!step.newest.empty())
        std::ranges::stable_sort(items, [&](const Json* one, const Json* other) {
            return time_of(*one, step.newest) > time_of(*other, step.newest);
        });
    for (const auto* item : items) {
        if (step.most > 0 && static_cast<std::int64_t>(out.size()) == step.most) break;
        auto found = found_at(*item, step.value);
        if (!found.empty() && found.front()->is_string()) out.push_back(found.front()->get<std::string>());
    }
    return out;
}

Result<> check_expression(const RE2& regex, const std::string& place) {
    if (regex.ok()) return {};
    return wrong(place, "is no regular expression (RE2 syntax): " + regex.error());
}

}  // namespace

Result<std::vector<std::string>> look_up(const Lookup& lookup, const std::string& endpoint,
                                         const std::map<std::string, std::string>& given,
                                         http::Client& client) {
    connector::Values values;
    for (const auto& name : lookup.query) {
        auto found = given.find(name);
        auto text = found == given.end() ? std::string() : std::string(trimmed(found->second));
        // A path of dots would lead elsewhere.
        if (text.empty() || text.find_first_not_of('.') == std::string::npos)
            return wrong(name, "must be set");
        values.texts[name] = text;
    }
    std::vector<std::string> out;
    for (const auto& step : lookup.steps) {
        TARN_ASSIGN(auto answer, asked(step, endpoint, values, client));
        for (const auto& [name, pointer] : step.fields) {
            auto found = found_at(answer, pointer);
            if (found.empty() || found.front()->is_structured())
                return fail(ErrorKind::terminal, "the source's answer has no " + pointer,
                            http::shown_url(http::join_url(endpoint, step.path)));
            values.texts[name] = text_of(*found.front());
        }
        out = texts_of(step, answer);
    }
    return out;
}

Result<std::string> expression_of(const Ordered& groups, const std::string& example) {
    std::string out(trimmed(example));
    for (const auto& [name, pattern] : groups) {
        auto word = "{" + name + "}";
        auto first = out.find(word);
        if (first == std::string::npos || out.find(word, first + 1) != std::string::npos)
            return wrong("pattern", "must hold " + word + " once");
    }
    for (const auto& [name, pattern] : groups)
        out = replaced(out, "{" + name + "}", "(?P<" + name + ">" + pattern + ")");
    RE2 regex(out, RE2::Quiet);
    TARN_TRY(check_expression(regex, "pattern"));
    return out;
}

Result<Ordered> groups_in(const Ordered& groups, const std::string& regex, const std::string& text) {
    RE2 expression(regex, RE2::Quiet);
    TARN_TRY(check_expression(expression, "regex"));
    const auto& named = expression.NamedCapturingGroups();
    auto has = [&](const auto& group) { return named.contains(group.first); };
    if (expression.NumberOfCapturingGroups() != static_cast<int>(groups.size()) ||
        !std::ranges::all_of(groups, has)) {
        std::vector<std::string> names;
        for (const auto& [name, pattern] : groups) names.push_back(name);
        return wrong("regex", "must have these named groups and no other: " + join(names, ", "));
    }
    std::vector<re2::StringPiece> parts(groups.size() + 1);
    if (!expression.Match(text, 0, text.size(), RE2::UNANCHORED, parts.data(),
                          static_cast<int>(parts.size())))
        return wrong("urls", "does not fit the expression: " + text);
    Ordered out;
    for (const auto& [name, pattern] : groups)
        out.emplace_back(name, std::string(parts[static_cast<std::size_t>(named.at(name))]));
    return out;
}

}  // namespace tarn::run
