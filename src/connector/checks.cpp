#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/text.h"
#include "connector/blocks.h"
#include "connector/placeholders.h"

namespace tarn::connector {
namespace {

using Names = std::set<std::string, std::less<>>;

std::string listed(const Names& names) { return join({names.begin(), names.end()}, ", "); }

bool in_any_template(const Stream& stream, std::string_view name) {
    if (has_placeholder(stream.path, name) || has_placeholder(stream.body, name)) return true;
    return std::ranges::any_of(stream.query,
                               [&](const auto& entry) { return has_placeholder(entry.second, name); });
}

// ---- pages

struct PageKind {
    std::string name;
    Names needed, optional;
};

const std::vector<PageKind>& page_kinds() {
    static const std::vector<PageKind> kinds = {
        {"single", {}, {}},
        {"link", {}, {"param"}},
        {"page", {}, {"param", "size_param", "size", "start", "total", "unit", "more"}},
        {"offset", {"size"}, {"param", "size_param", "start", "total", "more"}},
        {"cursor", {"next"}, {"param", "size_param", "size", "more"}},
        {"next", {"next"}, {"size_param", "size", "more"}},
    };
    return kinds;
}

Names page_keys_set(const Page& page) {
    Names set;
    auto add = [&](const char* name, bool is_set) {
        if (is_set) set.insert(name);
    };
    add("param", !page.param.empty());
    add("size_param", !page.size_param.empty());
    add("size", page.size != 0);
    add("start", page.start >= 0);
    add("total", !page.total.empty());
    add("unit", page.unit != "items");
    add("more", !page.more.empty());
    add("next", !page.next.empty());
    return set;
}

void check_page(const Page& page, const std::string& place, Problems& problems) {
    const PageKind* kind = nullptr;
    Names names;
    for (const auto& known : page_kinds()) {
        names.insert(known.name);
        if (known.name == page.kind) kind = &known;
    }
    if (kind == nullptr) {
        problems.add(place, "unknown page kind '" + page.kind + "'; legal: " + listed(names));
        return;
    }
    Names set = page_keys_set(page);
    for (const auto& name : kind->needed) {
        if (!set.contains(name)) problems.add(place, "page kind " + page.kind + " needs '" + name + "'");
    }
    for (const auto& name : set) {
        if (!kind->needed.contains(name) && !kind->optional.contains(name)) {
            problems.add(place, "page kind " + page.kind + " does not use '" + name + "'");
        }
    }
    if (page.unit != "items" && page.unit != "pages")
        problems.add(place, "page: unit must be pages or items");
    bool counts_items = page.total.empty() || page.unit == "items";
    if (page.kind == "page" && counts_items && page.more.empty() && page.size == 0) {
        problems.add(place, "page kind page needs 'size' to know the last page, or 'total' with unit: pages");
    }
}

// The position must reach the source: as a parameter, or by a placeholder.
void check_position(const Stream& stream, Problems& problems) {
    const Page& page = stream.page;
    if (!page.param.empty() || (page.kind != "page" && page.kind != "offset" && page.kind != "cursor"))
        return;
    if (!in_any_template(stream, page.kind)) {
        problems.add(stream.place,
                     "page kind " + page.kind + " needs 'param' or a {" + page.kind + "} placeholder");
    }
}

// ---- placeholders

void check_template(const std::string& text, const Names& legal, const std::string& what,
                    const std::string& place, Problems& problems) {
    for (const auto& piece : pieces_of(text)) {
        if (!piece.placeholder || legal.contains(piece.text)) continue;
        problems.add(place, what + ": unknown placeholder {" + piece.text + "}; legal: " + listed(legal));
    }
}

Names request_names(const Connector& connector, const Stream& stream) {
    Names names;
    for (const auto& [option, column] : connector.scope.options) names.insert(option);
    if (!stream.parents.empty()) {
        for (const auto& [column, shape] : stream.input.fields) names.insert("in." + column);
    }
    const std::string& kind = stream.page.kind;
    if (kind == "page" || kind == "offset" || kind == "cursor") names.insert(kind);
    if (kind == "offset") names.insert("end");
    if (stream.page.size > 0) names.insert("size");
    if (stream.since || stream.window) names.insert("since");
    if (stream.window) names.insert({"from", "to"});
    return names;
}

void check_templates(const Connector& connector, const Stream& stream, Problems& problems) {
    Names legal = request_names(connector, stream);
    check_template(stream.path, legal, "path", stream.place, problems);
    check_template(stream.body, legal, "body", stream.place, problems);
    for (const auto& [name, value] : stream.query)
        check_template(value, legal, "query " + name, stream.place, problems);
    for (const auto& [name, value] : stream.headers)
        check_template(value, legal, "header " + name, stream.place, problems);
    for (const auto& [name, value] : stream.keep)
        check_template(value, legal, "keep " + name, stream.place, problems);
    if (stream.since) check_template(stream.since->format, {"since"}, "since format", stream.place, problems);
    if (stream.window)
        check_template(stream.window->format, {"from", "to"}, "window format", stream.place, problems);
    if (!stream.open) return;
    // The open select's columns are known when it is bound; the model engine checks selects.
    for (const auto& piece : pieces_of(stream.open->path)) {
        if (piece.placeholder && piece.text.starts_with("in.")) legal.insert(piece.text);
    }
    check_template(stream.open->path, legal, "open path", stream.place, problems);
    for (const auto& [name, value] : stream.open->query)
        check_template(value, legal, "open query " + name, stream.place, problems);
}

// ---- streams

void check_since(const Stream& stream, Problems& problems) {
    const Since& since = *stream.since;
    bool sent = !since.query.empty() || in_any_template(stream, "since");
    if (sent && !since.field.empty()) problems.add(stream.place, "since: either 'query' or 'field'");
    if (!sent && since.field.empty()) {
        problems.add(stream.place, "since needs 'query', 'field', or a {since} placeholder in the request");
    }
}

void check_dependences(const Stream& stream, Problems& problems) {
    auto wrong = [&](const std::string& message) {
        problems.add(stream.place, "stream '" + stream.name + "': " + message);
    };
    if (stream.method != "GET" && stream.method != "POST") wrong("method must be GET or POST");
    if (stream.method == "GET" && !stream.body.empty()) wrong("a body needs method: POST");
    if (stream.key.empty() && (stream.since || stream.window || stream.open)) {
        wrong("with since, window or open items need a 'key': positions do not last");
    }
    if (stream.conditional && (stream.since || stream.window))
        wrong("etag: what is cut by time has another address each time");
    if (stream.once != 0 && (stream.conditional || stream.method != "GET"))
        wrong("once goes with method: GET and without etag");
    if (stream.parents.empty() && stream.refresh != 0) wrong("refresh goes with 'parents'");
    if (stream.parents.empty() && !stream.input.empty()) wrong("input goes with 'parents'");
    if (!stream.parents.empty() && stream.input.empty())
        wrong("parents need 'input': the types of their columns");
    if (stream.window && stream.window->query.empty() && !in_any_template(stream, "from")) {
        wrong("window needs 'query' or a {from} placeholder in the request");
    }
    if (stream.forget && stream.parents.empty()) wrong("forget goes with 'parents'");
    if (stream.shared != 0 && (stream.since || stream.window || stream.open || stream.conditional)) {
        wrong("shared goes with lists that are read in full each time");
    }
    if (!stream.basis.empty() && !stream.since) wrong("basis goes with 'since'");
    if (stream.window && stream.window->cap == 0) wrong("window: cap must not be 0");
}

void check_stream(const Connector& connector, const Stream& stream, Problems& problems) {
    if (!stream.subtask.empty() && connector.subtask(stream.subtask) == nullptr) {
        problems.add(stream.place,
                     "stream '" + stream.name + "': subtask '" + stream.subtask + "' is not in subtasks");
    }
    if (!stream.raw.empty() && !stream.raw.starts_with("_raw_")) {
        problems.add(stream.place, "stream '" + stream.name + "': a raw table's name starts with _raw_");
    }
    check_page(stream.page, stream.place, problems);
    check_position(stream, problems);
    check_templates(connector, stream, problems);
    if (stream.since) check_since(stream, problems);
    check_dependences(stream, problems);
}

// Two streams in one raw table would delete each other's rows and share one state.
void check_raw_names(const Connector& connector, Problems& problems) {
    std::map<std::string, std::string> owner;
    for (const auto& stream : connector.streams) {
        auto [known, added] = owner.emplace(stream.raw, stream.name);
        if (!added) {
            problems.add(stream.place, "stream '" + stream.name + "': " + stream.raw +
                                           " is the raw table of '" + known->second + "'");
        }
        if (connector.raw.contains(stream.raw))
            problems.add(stream.place, stream.raw + " stands in 'raw' too");
    }
}

// ---- connection and scope

void check_test(const Connector& connector, const Names& fields, Problems& problems) {
    const auto& test = connector.connection.test;
    for (const auto& path : {test.path, test.app.path, test.app.installations})
        check_template(path, fields, "test path", problems.file(), problems);
    auto has = [&](bool app) {
        return std::ranges::any_of(connector.connection.auth,
                                   [&](const auto& auth) { return (auth.kind == "app") == app; });
    };
    if (!test.app.path.empty() && !has(true))
        problems.add(problems.file(), "test: 'app' needs an auth of kind app");
    if ((test.each || !test.rights.header.empty()) && !has(false))
        problems.add(problems.file(), "test: 'each' and 'rights' need an auth with tokens");
}

void check_connection(const Connector& connector, Problems& problems) {
    Names fields;
    for (const auto& field : connector.connection.fields) fields.insert(field.name);
    for (const auto& auth : connector.connection.auth) {
        for (const auto& [name, value] : auth.settings) {
            bool credential = name == "user" || name == "password" || name == "issuer" || name == "key" ||
                              (name == "token" && auth.kind != "app");
            if (credential && !fields.contains(value)) {
                problems.add(problems.file(), "auth '" + auth.method + "': " + name +
                                                  " names no connection field; legal: " + listed(fields));
            }
            if (name == "path") check_template(value, fields, "auth path", problems.file(), problems);
        }
    }
    check_test(connector, fields, problems);
}

void check_scope(const Connector& connector, Problems& problems) {
    Names options;
    for (const auto& [option, column] : connector.scope.options) options.insert(option);
    auto known = [&](const std::string& what, const std::string& option) {
        if (options.contains(option)) return;
        problems.add(problems.file(),
                     "scope " + what + ": unknown option '" + option + "'; legal: " + listed(options));
    };
    for (const auto& [json_key, option] : connector.scope.params) known("params", option);
    for (const auto& [column, option] : connector.scope.columns) known("columns", option);
    check_template(connector.scope.fetch_path, options, "fetch path", problems.file(), problems);

    Names remote = {"group", "search", "page", "size", "offset", "end", "cursor"};
    for (const auto& field : connector.connection.fields) remote.insert(field.name);
    for (const auto& level : connector.scope.remote) {
        check_template(level.path, remote, "remote path", level.place, problems);
        for (const auto& [name, value] : level.query)
            check_template(value, remote, "remote query", level.place, problems);
        check_page(level.page, level.place, problems);
    }
}

void check_lookups(const Connector& connector, Problems& problems) {
    for (const auto& lookup : connector.lookups) {
        Names names(lookup.query.begin(), lookup.query.end());
        for (const auto& step : lookup.steps) {
            check_template(step.path, names, "lookup path", problems.file(), problems);
            for (const auto& [name, value] : step.query)
                check_template(value, names, "lookup query", problems.file(), problems);
            for (const auto& [name, pointer] : step.fields) names.insert(name);
        }
        bool told = !lookup.steps.empty() &&
                    (!lookup.steps.back().keys.empty() ||
                     (!lookup.steps.back().items.empty() && !lookup.steps.back().value.empty()));
        if (!told)
            problems.add(problems.file(),
                         "lookup '" + lookup.name + "': the last step needs 'keys', or 'items' and 'value'");
    }
}

void check_groups(const Field& field, Problems& problems) {
    for (const auto& [name, pattern] : field.groups) {
        re2::RE2 regex("(?P<" + name + ">" + pattern + ")", re2::RE2::Quiet);
        if (!regex.ok())
            problems.add(problems.file(),
                         "field '" + field.name + "': group '" + name + "' is no regex: " + regex.error());
    }
}

void check_regexes(const std::vector<Field>& fields, Problems& problems) {
    for (const auto& field : fields) {
        check_groups(field, problems);
        if (field.kind != "regex" || field.default_value.empty()) continue;
        re2::RE2 regex(field.default_value, re2::RE2::Quiet);
        if (!regex.ok())
            problems.add(problems.file(),
                         "field '" + field.name + "': its default is no regex: " + regex.error());
    }
}

// ---- tables

const Table* find_table(const Connector& connector, const std::string& name) {
    for (const auto& table : connector.tables) {
        if (table.name == name) return &table;
    }
    return nullptr;
}

void check_columns(const Connector& connector, const std::string& table_name, const std::string& what,
                   const Names& columns, Problems& problems) {
    if (table_name.empty()) return;
    const Table* table = find_table(connector, table_name);
    if (table == nullptr) {
        problems.add(problems.file(),
                     fmt::format("{}: there is no table {} in tables.sql", what, table_name));
        return;
    }
    for (const auto& column : columns) {
        if (table->column(column) != nullptr) continue;
        problems.add(problems.file(), fmt::format("{}: {} has no column {}", what, table_name, column));
    }
}

Names field_columns(const std::vector<Field>& fields) {
    Names names;
    for (const auto& field : fields) names.insert(field.column);
    return names;
}

}  // namespace

namespace {

// Stages of other plugins are checked when a plan is made: which are there is known then.
void check_plan(const Connector& connector, Problems& problems) {
    auto known = [&](const std::string& subtask, const std::string& where) {
        if (connector.subtask(subtask) == nullptr)
            problems.add(problems.file(), where + ": subtask '" + subtask + "' is not in subtasks");
    };
    for (const auto& stage : connector.plan) {
        if (stage.plugin != connector.name) continue;
        for (const auto& subtask : stage.subtasks) known(subtask, "plan");
    }
    if (connector.mapping.subtask.empty()) return;
    known(connector.mapping.subtask, "mapping");
    if (std::ranges::none_of(connector.options,
                             [&](const Field& option) { return option.name == connector.mapping.option; }))
        problems.add(problems.file(), "mapping: option '" + connector.mapping.option + "' is not in options");
}

}  // namespace

void cross_check(const Connector& connector, Problems& problems) {
    check_plan(connector, problems);
    if (!connector.is_metric() && (!connector.plan.empty() || !connector.mapping.subtask.empty()))
        problems.add(problems.file(), "'plan' and 'mapping' are a metric's: they go without a 'scope'");
    for (const auto& stream : connector.streams) check_stream(connector, stream, problems);
    check_raw_names(connector, problems);
    check_connection(connector, problems);
    check_scope(connector, problems);
    check_lookups(connector, problems);
    check_regexes(connector.connection.fields, problems);
    check_regexes(connector.scope_config.fields, problems);
    check_regexes(connector.options, problems);
    if (!connector.options.empty() && !connector.is_metric())
        problems.add(problems.file(), "'options' go without a 'scope', which has its own");
    if (!connector.streams.empty() && connector.scope.table.empty())
        problems.add(problems.file(), "streams need a 'scope'");
    if (!connector.streams.empty() && connector.connection.table.empty())
        problems.add(problems.file(), "streams need a 'connection'");
}

void check_tables(const Connector& connector, Problems& problems) {
    Names scope_columns;
    if (!connector.scope.id.empty()) scope_columns.insert(connector.scope.id);
    for (const auto& [option, column] : connector.scope.options) scope_columns.insert(column);
    for (const auto& [column, pointer] : connector.scope.fetch_fields) scope_columns.insert(column);
    for (const auto& [column, name] : connector.scope.names) scope_columns.insert(column);
    check_columns(connector, connector.connection.table, "connection",
                  field_columns(connector.connection.fields), problems);
    check_columns(connector, connector.scope.table, "scope", scope_columns, problems);
    check_columns(connector, connector.scope_config.table, "scope_config",
                  field_columns(connector.scope_config.fields), problems);
}

}  // namespace tarn::connector
