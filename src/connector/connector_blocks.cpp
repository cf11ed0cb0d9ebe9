#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "connector/blocks.h"

namespace tarn::connector {
namespace {

using Connection = decltype(Connector::connection);
using Rate = decltype(Connection::rate);
using Scope = decltype(Connector::scope);
using ScopeConfig = decltype(Connector::scope_config);
using Mapping = decltype(Connector::mapping);

std::string snake_case(const std::string& name) {
    std::string out;
    for (char c : name) {
        if (std::isupper(static_cast<unsigned char>(c)) != 0) {
            if (!out.empty()) out += '_';
            out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        } else {
            out += c;
        }
    }
    return out;
}

// ---- fields of forms

void read_default(Problems&, const YAML::Node& node, Field& out) {
    out.default_value = node.IsScalar() ? node.Scalar() : node.IsNull() ? "" : json_text(node);
}

const Keys<Field>& field_keys() {
    static const Keys<Field> keys = {
        {"kind", text(&Field::kind), true},  {"title", text(&Field::title)},
        {"help", text(&Field::help)},        {"default", read_default},
        {"column", text(&Field::column)},    {"required", flag(&Field::required)},
        {"choices", texts(&Field::choices)}, {"groups", ordered(&Field::groups)},
    };
    return keys;
}

void check_field(Problems& problems, const YAML::Node& node, const Field& field) {
    static const std::array<std::string, 12> kinds = {"url",    "proxy",   "text",  "secret",
                                                      "number", "boolean", "regex", "regexes",
                                                      "list",   "map",     "json",  "choice"};
    if (!field.kind.empty() && std::ranges::find(kinds, field.kind) == kinds.end()) {
        problems.add(node, "field '" + field.name + "': unknown kind '" + field.kind +
                               "'; legal: " + join({kinds.begin(), kinds.end()}, ", "));
    }
    if (!field.groups.empty() && field.kind != "regexes")
        problems.add(node, "field '" + field.name + "': 'groups' go with kind regexes");
    if ((field.kind == "choice") == field.choices.empty()) {
        problems.add(node, "field '" + field.name + "': 'choices' go with kind choice, and it needs them");
    }
}

template <class T>
Read<T> fields(std::vector<Field> T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        if (!node.IsMap()) {
            problems.add(node, "fields must be a map of names");
            return;
        }
        for (const auto& entry : node) {
            Field field{.name = entry.first.Scalar()};
            read_block(problems, entry.second, "field '" + field.name + "'", field_keys(), field);
            if (field.column.empty()) field.column = snake_case(field.name);
            check_field(problems, entry.first, field);
            (out.*member).push_back(std::move(field));
        }
    };
}

// ---- connection

struct AuthKind {
    std::string name;
    std::vector<std::string> needed, optional;
};

const std::vector<AuthKind>& auth_kinds() {
    static const std::vector<AuthKind> kinds = {
        {"bearer", {"token"}, {}},
        {"header", {"name", "token"}, {"prefix"}},
        {"basic", {"password"}, {"user"}},
        {"query", {"name", "token"}, {}},
        {"app", {"issuer", "key", "path"}, {"token", "expires"}},
    };
    return kinds;
}

void check_auth(Problems& problems, const YAML::Node& node, const AuthMethod& auth) {
    const AuthKind* kind = nullptr;
    std::string legal;
    for (const auto& known : auth_kinds()) {
        legal += (legal.empty() ? "" : ", ") + known.name;
        if (known.name == auth.kind) kind = &known;
    }
    if (kind == nullptr) {
        problems.add(node, "auth '" + auth.method + "': unknown kind '" + auth.kind + "'; legal: " + legal);
        return;
    }
    std::vector<std::string> known = kind->needed;
    known.insert(known.end(), kind->optional.begin(), kind->optional.end());
    for (const auto& [name, value] : auth.settings) {
        if (std::ranges::find(known, name) == known.end()) {
            problems.add(node, "auth '" + auth.method + "': unknown key '" + name + "'; legal: kind, " +
                                   join(known, ", "));
        }
    }
    for (const auto& name : kind->needed) {
        if (!auth.settings.contains(name))
            problems.add(node, "auth '" + auth.method + "' needs '" + name + "'");
    }
}

void read_auth(Problems& problems, const YAML::Node& node, Connection& out) {
    if (!node.IsMap()) {
        problems.add(node, "auth must be a map of methods");
        return;
    }
    for (const auto& entry : node) {
        AuthMethod auth{.method = entry.first.Scalar()};
        Ordered settings;
        read_ordered(problems, entry.second, settings);
        for (const auto& [name, value] : settings) (name == "kind" ? auth.kind : auth.settings[name]) = value;
        check_auth(problems, entry.first, auth);
        out.auth.push_back(std::move(auth));
    }
}

using AppCheck = decltype(ConnectionCheck::app);

void read_rights(Problems& problems, const YAML::Node& node, ConnectionCheck& out) {
    static const Keys<Rights> keys = {
        {"header", text(&Rights::header), true}, {"tokens", text(&Rights::tokens)},
        {"needed", texts(&Rights::needed)},      {"wished", texts(&Rights::wished)},
        {"hint", text(&Rights::hint)},           {"within", ordered(&Rights::within)},
    };
    read_block(problems, node, "rights", keys, out.rights);
}

void read_app_check(Problems& problems, const YAML::Node& node, ConnectionCheck& out) {
    static const Keys<AppCheck> keys = {
        {"path", text(&AppCheck::path), true},
        {"login", text(&AppCheck::login), true},
        {"installations", text(&AppCheck::installations), true},
    };
    read_block(problems, node, "app", keys, out.app);
}

void read_test(Problems& problems, const YAML::Node& node, Connection& out) {
    static const Keys<ConnectionCheck> keys = {
        {"path", text(&ConnectionCheck::path), true},
        {"each", flag(&ConnectionCheck::each)},
        {"rights", read_rights},
        {"app", read_app_check},
    };
    read_block(problems, node, "test", keys, out.test);
}

void read_secondary(Problems& problems, const YAML::Node& node, Rate& out) {
    static const Keys<Rate> keys = {
        {"status", statuses(&Rate::secondary_statuses), true},
        {"body", text(&Rate::secondary_body)},
    };
    read_block(problems, node, "secondary", keys, out);
    out.secondary_body = lower(out.secondary_body);
}

void read_rate(Problems& problems, const YAML::Node& node, Connection& out) {
    static const Keys<Rate> keys = {
        {"limit", text(&Rate::limit)}, {"remaining", text(&Rate::remaining)}, {"reset", text(&Rate::reset)},
        {"per", number(&Rate::per)},   {"secondary", read_secondary},
    };
    read_block(problems, node, "rate", keys, out.rate);
}

void read_connection(Problems& problems, const YAML::Node& node, Connector& out) {
    static const Keys<Connection> keys = {
        {"table", text(&Connection::table), true},
        {"fields", fields(&Connection::fields), true},
        {"auth", read_auth},
        {"headers", ordered(&Connection::headers)},
        {"test", read_test},
        {"rate", read_rate},
    };
    read_block(problems, node, "connection", keys, out.connection);
}

// ---- scope

void read_level_page(Problems& problems, const YAML::Node& node, RemoteLevel& out) {
    read_block(problems, node, "page", page_keys(), out.page);
}

const Keys<RemoteLevel>& level_keys() {
    static const Keys<RemoteLevel> keys = {
        {"path", text(&RemoteLevel::path), true},
        {"rows", text(&RemoteLevel::rows)},
        {"kind", text(&RemoteLevel::kind), true},
        {"query", ordered(&RemoteLevel::query)},
        {"fields", ordered(&RemoteLevel::fields), true},
        {"page", read_level_page},
        {"keep", ordered(&RemoteLevel::keep)},
        {"drop", ordered(&RemoteLevel::drop)},
        {"when", text(&RemoteLevel::when)},
    };
    return keys;
}

void read_remote(Problems& problems, const YAML::Node& node, Scope& out) {
    if (!node.IsSequence()) {
        problems.add(node, "remote must be a list of requests");
        return;
    }
    for (const auto& entry : node) {
        RemoteLevel level;
        level.place = problems.place(entry);
        read_block(problems, entry, "remote", level_keys(), level);
        if (level.kind != "group" && level.kind != "scope")
            problems.add(entry, "remote: kind must be group or scope");
        out.remote.push_back(std::move(level));
    }
}

void read_fetch(Problems& problems, const YAML::Node& node, Scope& out) {
    static const Keys<Scope> keys = {
        {"path", text(&Scope::fetch_path), true},
        {"fields", ordered(&Scope::fetch_fields), true},
    };
    read_block(problems, node, "fetch", keys, out);
}

// Domain types, and whether `off` stands among them.
struct DomainWords {
    std::vector<std::string> domains;
    bool off = false;
};

DomainWords read_domain_words(Problems& problems, const YAML::Node& node, const std::string& where) {
    static const std::vector<std::string> domains = {"CODE",  "TICKET", "CODEREVIEW",
                                                     "CROSS", "CICD",   "CODEQUALITY"};
    DomainWords out;
    std::string words;
    if (!read_text(problems, node, words)) return out;
    for (const auto& word : split(words, ' ')) {
        if (word == "off") {
            out.off = true;
        } else if (contains(domains, word)) {
            out.domains.push_back(word);
        } else {
            problems.add(node, where + ": unknown word '" + word + "'; legal: off, " + join(domains, ", "));
        }
    }
    return out;
}

void read_domain_tables(Problems& problems, const YAML::Node& node, Scope& out) {
    if (!node.IsMap()) {
        problems.add(node, "tables must be a map of domain tables: domain types");
        return;
    }
    for (const auto& entry : node) {
        auto words = read_domain_words(problems, entry.second, "table '" + entry.first.Scalar() + "'");
        out.domain_tables.emplace_back(entry.first.Scalar(), std::move(words.domains));
    }
}

void read_domain(Problems& problems, const YAML::Node& node, Scope& out) {
    static const Keys<Scope> keys = {
        {"id", text(&Scope::domain_id), true},
        {"tables", read_domain_tables, true},
    };
    read_block(problems, node, "domain", keys, out);
}

void read_scope(Problems& problems, const YAML::Node& node, Connector& out) {
    static const Keys<Scope> keys = {
        {"table", text(&Scope::table), true},
        {"id", text(&Scope::id), true},
        {"params", ordered(&Scope::params), true},
        {"options", ordered(&Scope::options), true},
        {"columns", ordered(&Scope::columns)},
        {"names", ordered(&Scope::names)},
        {"remote", read_remote},
        {"fetch", read_fetch},
        {"optional", flag(&Scope::optional)},
        {"domain", read_domain},
        {"git", ordered(&Scope::git)},
    };
    read_block(problems, node, "scope", keys, out.scope);
}

void read_scope_config(Problems& problems, const YAML::Node& node, Connector& out) {
    static const Keys<ScopeConfig> keys = {
        {"table", text(&ScopeConfig::table), true},
        {"fields", fields(&ScopeConfig::fields)},
    };
    read_block(problems, node, "scope_config", keys, out.scope_config);
}

// ---- lists

void read_subtasks(Problems& problems, const YAML::Node& node, Connector& out) {
    if (!node.IsSequence()) {
        problems.add(node, "subtasks must be a list of `- name: domain types`");
        return;
    }
    for (const auto& entry : node) {
        if (!entry.IsMap() || entry.size() != 1) {
            problems.add(entry, "a subtask is written `- name: domain types`");
            continue;
        }
        Subtask subtask{.name = entry.begin()->first.Scalar()};
        if (out.subtask(subtask.name) != nullptr)
            problems.add(entry, "subtask '" + subtask.name + "' stands here twice");
        auto words = read_domain_words(problems, entry.begin()->second, "subtask '" + subtask.name + "'");
        subtask.domains = std::move(words.domains);
        subtask.enabled = !words.off;
        out.subtasks.push_back(std::move(subtask));
    }
}

void read_steps(Problems& problems, const YAML::Node& node, Lookup& out) {
    static const Keys<LookupStep> keys = {
        {"path", text(&LookupStep::path), true},  {"query", ordered(&LookupStep::query)},
        {"fields", ordered(&LookupStep::fields)}, {"keys", text(&LookupStep::keys)},
        {"items", text(&LookupStep::items)},      {"value", text(&LookupStep::value)},
        {"newest", text(&LookupStep::newest)},    {"most", number(&LookupStep::most)},
    };
    if (!node.IsSequence()) {
        problems.add(node, "steps must be a list of requests");
        return;
    }
    for (const auto& entry : node)
        read_block(problems, entry, "step of '" + out.name + "'", keys, out.steps.emplace_back());
}

void read_lookups(Problems& problems, const YAML::Node& node, Connector& out) {
    static const Keys<Lookup> keys = {
        {"query", texts(&Lookup::query)},
        {"steps", read_steps, true},
    };
    if (!node.IsMap()) {
        problems.add(node, "lookups must be a map of names");
        return;
    }
    for (const auto& entry : node) {
        auto& lookup = out.lookups.emplace_back();
        lookup.name = entry.first.Scalar();
        read_block(problems, entry.second, "lookup '" + lookup.name + "'", keys, lookup);
    }
}

void read_plan(Problems& problems, const YAML::Node& node, Connector& out) {
    if (!node.IsSequence()) {
        problems.add(node, "plan must be a list of `- plugin: [subtasks]`");
        return;
    }
    for (const auto& entry : node) {
        if (!entry.IsMap() || entry.size() != 1) {
            problems.add(entry, "a stage of the plan is written `- plugin: [subtasks]`");
            continue;
        }
        PlanStage stage{.plugin = entry.begin()->first.Scalar()};
        read_texts(problems, entry.begin()->second, stage.subtasks);
        out.plan.push_back(std::move(stage));
    }
}

void read_mapping(Problems& problems, const YAML::Node& node, Connector& out) {
    static const Keys<Mapping> keys = {
        {"subtask", text(&Mapping::subtask), true},
        {"option", text(&Mapping::option), true},
    };
    read_block(problems, node, "mapping", keys, out.mapping);
}

void read_streams(Problems& problems, const YAML::Node& node, Connector& out) {
    if (!node.IsMap()) {
        problems.add(node, "streams must be a map of names");
        return;
    }
    for (const auto& entry : node) {
        Stream stream{.name = entry.first.Scalar()};
        stream.place = problems.place(entry.first);
        if (out.stream(stream.name) != nullptr)
            problems.add(entry.first, "stream '" + stream.name + "' stands here twice");
        read_block(problems, entry.second, "stream '" + stream.name + "'", stream_keys(), stream);
        out.streams.push_back(std::move(stream));
    }
}

void read_raw(Problems& problems, const YAML::Node& node, Connector& out) {
    static const Keys<model::RawShape> keys = {
        {"item", shape(&model::RawShape::item), true},
        {"input", shape(&model::RawShape::input)},
    };
    if (!node.IsMap()) {
        problems.add(node, "raw must be a map of raw tables");
        return;
    }
    for (const auto& entry : node) {
        if (!entry.first.Scalar().starts_with("_raw_"))
            problems.add(entry.first, "a raw table's name starts with _raw_");
        read_block(problems, entry.second, "raw '" + entry.first.Scalar() + "'", keys,
                   out.raw[entry.first.Scalar()]);
    }
}

}  // namespace

const Keys<Connector>& connector_keys() {
    static const Keys<Connector> keys = {
        {"name", text(&Connector::name), true},
        {"title", text(&Connector::title), true},
        {"aliases", texts(&Connector::aliases)},
        {"native", text(&Connector::native)},
        {"connection", read_connection},
        {"scope", read_scope},
        {"scope_config", read_scope_config},
        {"lookups", read_lookups},
        {"options", fields(&Connector::options)},
        {"env", texts(&Connector::env)},
        {"subtasks", read_subtasks},
        {"plan", read_plan},
        {"mapping", read_mapping},
        {"listed", flag(&Connector::listed)},
        {"streams", read_streams},
        {"raw", read_raw},
    };
    return keys;
}

}  // namespace tarn::connector
