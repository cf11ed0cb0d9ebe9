// Words of shapes and models that are not plain fields: documents, undeclared members, regex groups, one model over several relations.
#include <gtest/gtest.h>

#include "base/text.h"
#include "model/document.h"
#include "model/graph_functions.h"
#include "model/model_file.h"
#include "model/shape.h"
#include "model/text_functions.h"
#include "store/duck.h"

namespace tarn::model {
namespace {

Shape leaf(Shape::Kind kind) {
    Shape shape;
    shape.kind = kind;
    return shape;
}

std::string text_of(const std::string& sql, const Shape& shape = {}) {
    auto database = duck::Database::open(":memory:", {"", 1, ""}).value();
    auto connection = database->connect().value();
    EXPECT_TRUE(register_text_functions(*connection));
    EXPECT_TRUE(register_text_functions(*connection)) << "a second time";
    EXPECT_TRUE(register_graph_functions(*connection));
    if (!shape.empty()) {
        EXPECT_TRUE(register_parser(*connection, "parse", shape));
    }
    auto value = connection->value(sql);
    return value ? value->value_or("NULL") : value.error().text();
}

TEST(Vocabulary, DocumentsAreFlattened) {
    EXPECT_EQ(document_text(R"x({"type":"doc","content":[
        {"type":"heading","content":[{"type":"text","text":"Title"}]},
        {"type":"paragraph","content":[{"type":"text","text":"a"},{"type":"hardBreak"},{"type":"mention","attrs":{"text":"@Ann"}}]},
        {"type":"bulletList","content":[{"type":"listItem","content":[{"type":"text","text":"one"}]},{"type":"listItem","content":[{"type":"text","text":"two"}]}]},
        {"type":"table","content":[{"type":"tableRow","content":[{"type":"tableCell","content":[{"type":"text","text":"x"}]},
            {"type":"tableHeader","content":[{"type":"text","text":"y"}]}]}]},
        {"type":"codeBlock","content":[{"type":"text","text":"f()"}]
},
        {"type":"blockquote","content":[{"type":"text","text":"q"}]},
        {"type":"panel","content":[{"type":"text","text":"unknown"}]}]
})x"),
              "Title\na\n@Ann\n• one\n• two\nx | y\n```\nf()\n```\n> q\nunknown");
    EXPECT_EQ(document_text("[1, 2]"), "[1, 2]");
    std::string deep;
    for (int i = 0; i < 3000; ++i) deep += R"({"type":"panel","content":[)";
    deep += R"({"type":"text","text":"x"})";
    for (int i = 0; i < 3000; ++i) deep += "]}";
    EXPECT_EQ(document_text(deep), "");
}

TEST(Vocabulary, AFieldMayBeATextOrADocument) {
    Shape shape;
    shape.fields = {{"d", leaf(Shape::Kind::document)}};
    EXPECT_EQ(text_of(R"(select parse('{"d": "plain \u0041"}').v.d)", shape), "plain A");
    EXPECT_EQ(
        text_of(
            R"(select parse('{"d": {"type": "paragraph", "content": [{"type": "text", "text": "rich"}]}}').v.d)",
            shape),
        "rich\n");
    EXPECT_EQ(text_of(R"(select parse('{"d": null}').v.d)", shape), "NULL");
}

TEST(Vocabulary, AStarHoldsWhatIsNotDeclared) {
    Shape inner;
    inner.fields = {{"name", leaf(Shape::Kind::varchar)}, {"*", leaf(Shape::Kind::json)}};
    Shape shape;
    shape.fields = {{"f", inner}};
    EXPECT_EQ(
        text_of(
            R"(select parse('{"f": {"a": 1, "name": "n", "b": null, "c\"d": {"e": [1, 2]}, "*": "s"}}').v.f."*")",
            shape),
        R"({"a":1,"c\"d":{"e": [1, 2]},"*":"s"})");
    EXPECT_EQ(text_of(R"(select parse('{"f": {"a": 1, "name": "n"}}').v.f.name)", shape), "n");
    EXPECT_EQ(text_of(R"(select parse('{"f": {"name": "n"}}').v.f."*")", shape), "NULL");
}

TEST(Vocabulary, GroupsOfTheFirstMatch) {
    EXPECT_EQ(text_of(R"(select regex_groups('(\w+)-(\d+)(x)?', 'see AB-12, CD-34')::varchar)"),
              "[AB, 12, '']");
    EXPECT_EQ(text_of("select regex_groups('(a)', 'b')::varchar"), "NULL");
    EXPECT_EQ(text_of("select regex_groups('(a', 'a')::varchar"), "NULL");
    EXPECT_EQ(text_of("select regex_groups(null, 'a')::varchar"), "NULL");
    EXPECT_EQ(text_of("select string_agg(coalesce(regex_groups(p, 'k1')[1], '-'), ' ') from (values "
                      "('k(.)'), ('(z)'), ('(k)')) t(p)"),
              "1 - k");
}

TEST(Vocabulary, ADifferenceDoesNotDependOnTheOrderOfTheEdges) {
    for (const std::string edges :
         {"['b', 'c', 'd', 'd'], ['a', 'a', 'b', 'c']", "['d', 'c', 'd', 'b'], ['c', 'a', 'b', 'a']"}) {
        EXPECT_EQ(
            text_of("select string_agg(f.pair || f.node || f.n, ' ') from (select unnest(graph_difference(" +
                    edges + ", ['d', 'b'], ['a', 'x'])) as f)"),
            "1d1 1b2 1c3 2b1 2a2");
    }
}

TEST(Vocabulary, OneModelOverSeveralRelations) {
    auto models = parse_models("t/extract/a", "a.sql",
                               "-- subtask: One | Two\n-- from: _raw_a | _raw_b r\n-- rows: x\nselect * from "
                               "_raw_a r where _raw_abc = '_raw_a'");
    ASSERT_TRUE(models) << models.error().text();
    ASSERT_EQ(models->size(), 2U);
    EXPECT_EQ((*models)[0].id + " " + (*models)[0].subtask + " " + (*models)[0].driver,
              "t/extract/a One _raw_a");
    EXPECT_EQ((*models)[1].id + " " + (*models)[1].subtask + " " + (*models)[1].driver,
              "t/extract/a@_raw_b Two _raw_b");
    EXPECT_EQ((*models)[1].alias, "r");
    EXPECT_EQ((*models)[1].sql, "select * from _raw_b r where _raw_abc = '_raw_b'");
    EXPECT_FALSE(parse_models(
        "a", "a.sql", "-- subtask: One | Two | Three\n-- from: _raw_a | _raw_b r\n-- rows: x\nselect 1"));
}

}  // namespace
}  // namespace tarn::model
