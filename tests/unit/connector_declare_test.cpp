#include <fstream>

#include "connector/placeholders.h"
#include "connector/windows.h"
#include "unit/connector_fixture.h"

namespace tarn::connector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

std::string problems_of(const TestFolder& folder, const std::string& yaml, const std::string& tables = "") {
    std::filesystem::create_directories(folder.file("demo"));
    std::ofstream(folder.file("demo/connector.yaml")) << yaml;
    if (!tables.empty()) std::ofstream(folder.file("demo/tables.sql")) << tables;
    auto loaded = load_connector(folder.file("demo"));
    return loaded ? "" : replaced(loaded.error().text(), folder.file("demo") + "/", "");
}

TEST(ConnectorDeclare, ReadsWhatIsDeclared) {
    auto loaded = load_connector(repository_file("tests/connectors/trackr"));
    ASSERT_TRUE(good(loaded));
    EXPECT_EQ(loaded->title, "Trackr");
    EXPECT_EQ(loaded->connection.auth[0].kind, "basic");
    EXPECT_THAT(loaded->connection.auth[0].settings,
                ElementsAre(Pair("password", "password"), Pair("user", "username")));
    EXPECT_THAT(loaded->scope.params,
                ElementsAre(Pair("ConnectionId", "connectionId"), Pair("BoardId", "boardId")));
    EXPECT_EQ(loaded->scope.remote[0].page.start, 0);
    EXPECT_THAT(loaded->subtask("collectEpics")->domains, ElementsAre("TICKET", "CROSS"));
    EXPECT_FALSE(loaded->subtask("collectWorklogs")->enabled);
    const Stream& worklogs = *loaded->stream("worklogs");
    EXPECT_THAT(worklogs.key, ElementsAre("/author/name", "/id"));
    EXPECT_THAT(worklogs.place, HasSubstr("connector.yaml:"));
    EXPECT_EQ(worklogs.item.duck_type(),
              "STRUCT(\"id\" BIGINT, \"author\" STRUCT(\"name\" VARCHAR), \"started\" TIMESTAMP)");
    EXPECT_EQ(loaded->stream("issues")->since->overlap, 86'400'000);
    for (const auto& table : loaded->tables) {
        EXPECT_EQ(table.control, table.name != "_tool_trackr_issues") << table.name;
    }
}

TEST(ConnectorDeclare, AMetricHasOptionsInPlaceOfAScope) {
    TestFolder folder;
    EXPECT_EQ(
        problems_of(folder,
                    "name: demo\ntitle: Demo\noptions: {projectName: {kind: text}, limit: {kind: number}}\n"),
        "");
    auto metric = load_connector(folder.file("demo"));
    ASSERT_TRUE(good(metric));
    EXPECT_TRUE(metric->is_metric());
    EXPECT_EQ(option_params(*metric, {{"projectName", "\"a & b\""}}), "{\"projectName\":\"a \\u0026 b\"}");
    EXPECT_EQ(option_params(*metric, {}), "{}");
    EXPECT_THAT(problems_of(folder, "name: demo\ntitle: Demo\noptions: {a: {kind: word}}\n"),
                HasSubstr("unknown kind 'word'"));
}

TEST(ConnectorDeclare, NamesEveryMistakeWithItsLineAndWhatIsLegal) {
    TestFolder folder;
    std::string problems =
        problems_of(folder, R"(name: demo
title: Demo
titel: Demo
connection:
  table: _tool_demo_connections
  fields:
    endpoint: {kind: uri}
    token: {kind: secret}
    pattern: {kind: regex, default: "(a"}
  auth:
    AccessToken: {kind: bearer, token: tokens}
    Other: {kind: digest}
scope: {table: _tool_demo_scopes, id: owner, params: {Owner: own}, options: {owner: owner_name}}
subtasks:
  - Collect: CODE TICKETS
streams:
  a:
    subtask: Collects
    raw: raw_a
    path: "x/{ownr}"
    page: {kind: link, size: 5}
    item: {id: int}
  b:
    subtask: Collect
    raw: _raw_b
    path: "y/{in.id}/{cursor}"
    page: {kind: pages}
    item: {id: bigint}
    refresh: 5 days
    since: {query: since, field: at}
    skip: [4040]
    paths: x
  c:
    subtask: Collect
    raw: _raw_b
    path: c
    page: {kind: cursor}
    body: x
    item: {id: bigint}
    parents: select 1 as id
)",
                    "create table _tool_demo_connections (endpoint text, token text, pattern text);\n"
                    "create table _tool_demo_scopes (owner varchar(255) not null, primary key (owner));\n");
    for (const std::string line : {
             "connector.yaml:3: connector.yaml: unknown key 'titel'; legal: name, title, aliases, native, "
             "connection",
             "connector.yaml:7: field 'endpoint': unknown kind 'uri'; legal: url, proxy, text, secret",
             "field 'pattern': its default is no regex: missing ): (a",
             "auth 'AccessToken': token names no connection field; legal: endpoint, pattern, token",
             "connector.yaml:12: auth 'Other': unknown kind 'digest'; legal: bearer, header, basic, query, "
             "app",
             "scope params: unknown option 'own'; legal: owner",
             "connector.yaml:15: subtask 'Collect': unknown word 'TICKETS'; legal: off, CODE",
             "connector.yaml:17: stream 'a': subtask 'Collects' is not in subtasks",
             "connector.yaml:17: stream 'a': a raw table's name starts with _raw_",
             "connector.yaml:17: path: unknown placeholder {ownr}; legal: owner",
             "connector.yaml:17: page kind link does not use 'size'",
             "connector.yaml:22: unknown field type 'int'. Legal: bigint",
             "connector.yaml:23: unknown page kind 'pages'; legal: cursor, link, next, offset, page, single",
             "connector.yaml:23: path: unknown placeholder {in.id}",
             "connector.yaml:23: path: unknown placeholder {cursor}",
             "connector.yaml:29: expected a duration, as 90s, 15m, 2h, 30d",
             "connector.yaml:23: since: either 'query' or 'field'",
             "connector.yaml:23: stream 'b': with since, window or open items need a 'key'",
             "connector.yaml:31: '4040' is no HTTP status",
             "connector.yaml:32: stream 'b': unknown key 'paths'; legal: subtask, raw, method, path",
             "connector.yaml:33: page kind cursor needs 'next'",
             "connector.yaml:33: page kind cursor needs 'param' or a {cursor} placeholder",
             "connector.yaml:33: stream 'c': a body needs method: POST",
             "connector.yaml:33: stream 'c': parents need 'input'",
             "connector.yaml:33: stream 'c': _raw_b is the raw table of 'b'",
             "scope: _tool_demo_scopes has no column owner_name",
         }) {
        EXPECT_THAT(problems, HasSubstr(line));
    }
}

TEST(ConnectorDeclare, ChecksTestsOfConnectionsAndLookups) {
    TestFolder folder;
    std::string problems = problems_of(folder, R"(name: demo
title: Demo
connection:
  table: _tool_demo_connections
  fields: {token: {kind: secret}}
  auth: {AccessToken: {kind: bearer, token: token}}
  test: {path: me, each: yes, rights: {header: X, withn: {}}, app: {path: app, login: a, installations: b}}
scope_config:
  table: _tool_demo_scope_configs
  fields: {a: {kind: text, groups: {x: y}}, b: {kind: regexes, groups: {x: '('}}}
lookups:
  one: {query: [key], steps: [{path: "a/{kye}", fields: {id: /id}}, {path: "b/{id}", items: /c}]}
)");
    for (const std::string line : {
             "rights: unknown key 'withn'; legal: header, tokens, needed, wished, hint, within",
             "test: 'app' needs an auth of kind app",
             "field 'a': 'groups' go with kind regexes",
             "field 'b': group 'x' is no regex",
             "lookup path: unknown placeholder {kye}; legal: key",
             "lookup 'one': the last step needs 'keys', or 'items' and 'value'",
         }) {
        EXPECT_THAT(problems, HasSubstr(line));
    }
}

TEST(ConnectorDeclare, NamesBrokenYaml) {
    TestFolder folder;
    EXPECT_THAT(problems_of(folder, "name: demo\ntitle: [x\n"), HasSubstr("connector.yaml:3: not YAML"));
    EXPECT_THAT(problems_of(folder, "- a"), HasSubstr("connector.yaml must be a map"));
    EXPECT_THAT(problems_of(folder, "name: other\ntitle: x"),
                HasSubstr("name is 'other', its folder 'demo'"));
    EXPECT_THAT(problems_of(folder, "name: demo\ntitle: x\ntitle: y"),
                HasSubstr("connector.yaml:3: connector.yaml: 'title' stands here twice"));
    EXPECT_EQ(problems_of(folder, "name: demo\ntitle: x"), "");
}

TEST(ConnectorDeclare, LoadsAFolderOfConnectorsWithoutTheBrokenOnes) {
    TestFolder folder;
    std::vector<Error> problems;
    problems_of(folder, "name: demo\ntitle: x");
    std::filesystem::create_directories(folder.file("broken"));
    std::filesystem::create_directories(folder.file("nothing"));
    std::ofstream(folder.file("broken/connector.yaml")) << "name: broken";
    auto connectors = load_connectors(folder.file(""), problems);
    ASSERT_EQ(connectors.size(), 1U);
    EXPECT_EQ(connectors[0].name, "demo");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_THAT(problems[0].text(), HasSubstr("needs 'title'"));
}

TEST(ConnectorDeclare, ShippedConnectorsAreSound) {
    std::vector<Error> problems;
    EXPECT_FALSE(load_connectors(repository_file("connectors"), problems).empty());
    for (const auto& problem : problems) ADD_FAILURE() << problem.text();
}

TEST(ConnectorParams, AreGoJson) {
    Connector connector;
    connector.scope.params = {{"ConnectionId", "id"}, {"Name", "name"}, {"Left", "left"}};
    EXPECT_EQ(scope_params(connector, {{"id", "1"}, {"name", R"("a/b & <c> \" é \u2028")"}}),
              R"({"ConnectionId":1,"Name":"a/b \u0026 \u003cc\u003e \" é \u2028","Left":null})");
}

TEST(Placeholders, AreNamesWithinBraces) {
    Values values{.texts = {{"name", "a b/c?[d]"}, {"in.id", "7"}, {"empty", ""}},
                  .times = {{"since", 1'700'000'000'123}, {"never", 0}}};
    auto filled = [&](const std::string& text, Encoding encoding = Encoding::none) {
        auto out = fill(text, values, encoding);
        return out ? out->text + (out->left_empty ? "!" : "") : out.error().message;
    };
    EXPECT_EQ(filled("x/{name}/{in.id}"), "x/a b/c?[d]/7");
    EXPECT_EQ(filled("x/{name}/{name:raw}", Encoding::path), "x/a%20b/c%3F%5Bd%5D/a b/c?[d]");
    EXPECT_EQ(filled("{ name } {} {\"a\": 1} {"), "{ name } {} {\"a\": 1} {");
    EXPECT_EQ(filled("{since} {since:epoch} {since:epoch_ms} {since:%Y/%m/%d %H:%M}"),
              "2023-11-14T22:13:20Z 1700000000 1700000000123 2023/11/14 22:13");
    EXPECT_EQ(filled("a{never}"), "a!");
    values.texts["path"] = "a/b%2F c";
    EXPECT_EQ(filled("{path:each job}/x", Encoding::path), "job/a/job/b%252F%20c/x");
    EXPECT_EQ(filled("{empty:each job}/x", Encoding::path), "/x!");
    EXPECT_EQ(filled("{nobody}"), "there is no value for {nobody}");
}

TEST(Placeholders, KeepJsonBodiesWhole) {
    Values values{.texts = {{"cursor", ""}, {"size", "50"}, {"name", "a\"b"}, {"id", "7"}}};
    EXPECT_EQ(
        fill_body(
            R"({"a": {"after": "{cursor}", "n": "{size}", "id": "{id:number}"}, "q": "x {name}", "list": ["{id}"], "no": null})",
            values)
            .value(),
        R"({"a":{"n":50,"id":7},"q":"x a\"b","list":["7"],"no":null})");
    EXPECT_EQ(fill_body("a={name}&b={size}", values).value(), "a=a\"b&b=50");
}

TEST(Windows, AreHalvedDownToASecond) {
    Span span = whole_seconds(1'500, 4'999);
    EXPECT_EQ(span.from, 1'000);
    EXPECT_EQ(span.to, 4'000);
    auto parts = halves(span);
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->first.to, 2'000);
    EXPECT_EQ(parts->second.from, 3'000);
    auto last = halves(parts->first);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->first.from, last->first.to);
    EXPECT_FALSE(halves(last->second));
}

}  // namespace
}  // namespace tarn::connector
