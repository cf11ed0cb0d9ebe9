// A connector: what connectors/<name>/connector.yaml declares, checked (docs/connectors.md). A metric is one without connection, scope and
// streams, in metrics/<name>/.
//
// load_connector reads one folder: connector.yaml and tables.sql. Every mistake (unknown key, wrong type, missing key, bad placeholder)
// is reported with file and line and what is legal; all mistakes of a folder are in one error's message, a line each.
// A Connector is read-only after loading. No C++ outside knows a connector's name.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/model_set.h"
#include "model/shape.h"
#include "store/schema.h"

namespace tarn::connector {

using Ordered = std::vector<std::pair<std::string, std::string>>;  // keeps the file's order

struct Field {
    std::string name,
        kind;  // url, proxy, text, secret, number, boolean, regex, regexes, list, map, json, choice
    std::string title, help, default_value;
    std::string column;  // of the connection or scope config table; default: snake_case of the name
    bool required = false;
    std::vector<std::string> choices;
    Ordered
        groups;  // of kind regexes: named group -> what stands for it where an expression is made of an example

    [[nodiscard]] bool is_list() const { return kind == "list" || kind == "regexes"; }
};

struct AuthMethod {
    std::string method;  // value of the connection's authMethod
    std::string kind;    // bearer, header, basic, query, app
    std::map<std::string, std::string> settings;
};

// Rights that a source tells of a token in a header.
struct Rights {
    std::string header;
    std::string tokens;                       // only of tokens that begin so; "": of all
    std::vector<std::string> needed, wished;  // without a wished one the test warns
    std::string hint;                         // what is missed without the wished ones
    Ordered within;                           // right -> the wider one that holds it
};

// What "test connection" asks.
struct ConnectionCheck {
    std::string path;
    bool each = false;  // a saved connection's test answers with a list of its tokens
    Rights rights;
    struct {
        std::string path, login, installations;  // login: a name in the answer of `path`
    } app;                                       // asked with the app's own key
};

struct Page {
    std::string kind = "single";  // single, link, page, offset, cursor, next
    // `total`, `more`, `next`: a pointer into the body where they start with a slash, else a header's name
    std::string param, size_param, total, unit = "items", more, next;
    int size = 0, start = -1;  // start -1: 1 for page, 0 for offset
};

struct Since {
    std::string query;  // parameter sent to the source; empty: a `{since}` placeholder or `field`
    std::string format = "{since}";  // template of the parameter's value
    std::string field;               // newest-first lists: pointer of the item's time
    Millis overlap = 0;              // asked for again before the last success
    Millis start = 0;                // sent where nothing is known yet; 0: nothing is sent
    std::string zone;                // select of the time zone in which the source reads times; empty: UTC
};

struct Window {
    std::string query, format = "{from}..{to}", total;
    std::int64_t cap = 0;
    Millis start = 0;           // first time where nothing is known
    Millis overlap = 0;         // asked for again before the last success
    std::vector<int> too_many;  // statuses that also mean: split
};

struct Open {
    std::string select, path, rows;
    Ordered query;
};

struct Stream {
    std::string name, subtask, raw, place;
    std::string method = "GET", path;
    std::string body;  // JSON where it starts with { or [
    Ordered query, headers;
    Page page;
    std::string rows;              // JSON pointer
    std::vector<std::string> key;  // pointers
    Ordered keep, drop;            // pointer -> value; several values of one pointer: any of them
    std::string parents;           // select
    std::string basis;             // select of what the list rests on: with another value it is read in full
    Millis shared = 0;             // how long another scope's reading of the list is good enough
    bool forget = false;           // rows of parents that are gone go, too
    model::Shape item, input;
    std::optional<Since> since;
    std::optional<Window> window;
    std::optional<Open> open;
    Millis refresh = 0;
    std::vector<int> skip;
    bool conditional = false;  // `etag: yes`: the source answers If-None-Match
    Millis once = 0;           // age up to which an answer serves other scopes, too; 0: it does not
    int parallel = 0;          // 0: the client's
};

struct Subtask {
    std::string name;
    std::vector<std::string> domains;
    bool enabled = true;
};

// A stage of the plan that a metric has in a project.
struct PlanStage {
    std::string plugin;
    std::vector<std::string> subtasks;
};

// One level of the remote list: requests whose rows are groups or scopes.
struct RemoteLevel {
    std::string path, rows, kind;  // group or scope
    Ordered query, fields;         // id, name, fullName, … -> pointer
    Page page;
    Ordered keep, drop;  // as a stream's
    std::string when;    // parent group's prefix this level belongs to; "" the root; "search" the search
    std::string place;   // file:line
};

// Requests one after the other; the last one's answer has the texts.
struct LookupStep {
    std::string path;
    Ordered query, fields;  // fields: placeholder of later steps -> pointer
    std::string keys;       // pointer to an object: its names, sorted
    std::string items, value,
        newest;             // pattern of items; names in an item: of the text, of the time to sort by
    std::int64_t most = 0;  // 0: all
};

// A list of texts that a form asks a connection for.
struct Lookup {
    std::string name;
    std::vector<std::string> query;  // parameters that must be given; placeholders
    std::vector<LookupStep> steps;
};

struct Connector {
    std::string name, title, folder;
    std::vector<std::string> aliases;
    std::string
        native;  // `git`: a part of the program does the task in place of streams and models (run/native.h)
    struct {
        std::string table;
        std::vector<Field> fields;
        std::vector<AuthMethod> auth;
        Ordered headers;
        ConnectionCheck test;
        struct {
            std::string limit, remaining, reset, secondary_body;
            std::int64_t per = 3600;
            std::vector<int> secondary_statuses;
        } rate;
    } connection;
    struct {
        std::string table, id;  // id: column
        Ordered params;         // JSON key -> option
        Ordered options;        // option -> column
        Ordered columns;        // tool column -> option
        Ordered names;          // column of the scope -> its name in the API, where it is not the camelCase
        std::vector<RemoteLevel> remote;
        std::string fetch_path;  // one scope by its options, for `tarn sync` and PUT scopes
        Ordered fetch_fields;    // column -> pointer
        bool optional = false;   // a blueprint may name a connection without scopes
        std::string domain_id;   // kind of the domain ids of a scope's rows: <kind>:<connection>:<id>
        std::vector<std::pair<std::string, std::vector<std::string>>> domain_tables;  // -> domain types
        Ordered git;  // where its repository is (run/git_task.h)
    } scope;
    struct {
        std::string table;
        std::vector<Field> fields;
    } scope_config;
    std::vector<Lookup> lookups;
    std::vector<Field> options;  // of a task without a scope: a metric's
    std::vector<PlanStage> plan;
    struct {
        std::string subtask, option;  // is told a project's scopes before anything is collected
    } mapping;
    std::vector<std::string> env;
    std::vector<Subtask> subtasks;
    std::vector<Stream> streams;
    std::map<std::string, model::RawShape> raw;  // shapes of raw tables without a stream
    std::vector<Table> tables;

    bool listed = true;  // in the API's list of a pipeline's subtasks

    [[nodiscard]] bool is_metric() const { return scope.table.empty(); }
    [[nodiscard]] const Stream* stream(const std::string& stream_name) const;
    [[nodiscard]] const Subtask* subtask(const std::string& subtask_name) const;
};

Result<Connector> load_connector(const std::string& folder);
// Every folder below `root` that holds a connector.yaml, by name. Broken ones are reported in `problems` and left out.
std::vector<Connector> load_connectors(const std::string& root, std::vector<Error>& problems);

// The raw params text of a scope, byte for byte as DevLake writes it (Go's JSON: order as declared, <, > and & escaped).
std::string scope_params(const Connector& connector, const std::map<std::string, std::string>& options_json);
// The text that stands for a metric's options as params do for a scope: those that are given, in declared order.
std::string option_params(const Connector& connector, const std::map<std::string, std::string>& options_json);

}  // namespace tarn::connector
