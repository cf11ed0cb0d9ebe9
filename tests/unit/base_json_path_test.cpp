#include "base/json_path.h"

#include <gtest/gtest.h>

namespace tarn {
namespace {

constexpr const char* document = R"({
    "name": {"first": "Tom", "last": "An\"der\u0073on"}, "age": 37, "big": 41534568464351, "half": 2.50, "tiny": 1.5e-5, "none": null,
    "children": ["Sara", "Alex", "Jack"], "fav.movie": "Deer Hunter", "on": true, "empty": [], "nested": {"a": [1, {"b": 2}]},
    "friends": [{"first": "Dale", "age": 44, "nets": ["ig"]}, {"first": "Roger", "age": 68}, {"first": "Jane", "age": 47, "nets": ["fb", "tw"]}]
})";

std::string text(const std::string& path) {
    auto found = find_json(document, path);
    return found ? found->is_null() ? "null" : found->text() : "nothing";
}

TEST(JsonPath, FindsMembersAndPositions) {
    EXPECT_EQ(text("name.first"), "Tom");
    EXPECT_EQ(text("name.last"), "An\"derson");
    EXPECT_EQ(text("children.1"), "Alex");
    EXPECT_EQ(text("children|1"), "Alex");
    EXPECT_EQ(text("nested.a.1.b"), "2");
    EXPECT_EQ(text(R"(fav\.movie)"), "Deer Hunter");
    EXPECT_EQ(text("none"), "null");
    for (const auto* path : {"fav.movie", "children.3", "children.x", "age.x", "nam", "name.first.0"})
        EXPECT_EQ(text(path), "nothing") << path;
}

TEST(JsonPath, WritesValuesAsText) {
    EXPECT_EQ(text("age"), "37");
    EXPECT_EQ(text("big"), "41534568464351");
    EXPECT_EQ(text("half"), "2.5");
    EXPECT_EQ(text("tiny"), "0.000015");
    EXPECT_EQ(text("on"), "true");
    EXPECT_EQ(text("nested.a"), R"([1, {"b": 2}])");
}

TEST(JsonPath, KnowsWildcardsCountsAndConditions) {
    EXPECT_EQ(text("child*.2"), "Jack");
    EXPECT_EQ(text("c?ildren.0"), "Sara");
    EXPECT_EQ(text("children.#"), "3");
    EXPECT_EQ(text("empty.#"), "0");
    EXPECT_EQ(text("friends.#.first"), R"(["Dale","Roger","Jane"])");
    EXPECT_EQ(text("friends.#.nets.0"), R"(["ig","fb"])");
    EXPECT_EQ(text(R"(friends.#(first=="Roger").age)"), "68");
    EXPECT_EQ(text("friends.#(age>45).first"), "Roger");
    EXPECT_EQ(text("friends.#(age>45)#.first"), R"(["Roger","Jane"])");
    EXPECT_EQ(text(R"(friends.#(first%"J*").age)"), "47");
    EXPECT_EQ(text(R"(children.#(!%"*a*"))"), "Alex");
    EXPECT_EQ(text("friends.#(nets)#.first"), R"(["Dale","Jane"])");
}

TEST(JsonPath, GivesTheItemsOfLists) {
    auto found = find_json(document, "nested.a");
    ASSERT_TRUE(found && found->is_list());
    auto items = found->items();
    ASSERT_EQ(items.size(), 2U);
    EXPECT_EQ(items[0].text(), "1");
    EXPECT_EQ(items[1].text(), R"({"b": 2})");
    EXPECT_TRUE(find_json(document, "empty")->items().empty());
}

TEST(JsonPath, EndsOnBrokenJson) {
    for (const auto* broken :
         {"", "{", "{\"a", "{\"a\":", "[1,", "{\"a\":{\"b\":\"x", "nonsense", "{\"a\"}"}) {
        auto found = find_json(broken, "a.b");
        EXPECT_TRUE(!found || found->raw.size() <= std::string(broken).size()) << broken;
    }
}

TEST(JsonPath, RefusesWhatItDoesNotKnow) {
    EXPECT_TRUE(check_json_path("a.b.#(x==1)#.c"));
    for (const auto* path : {"", "@reverse", "a.@this", "{a,b}", "a|[b]", "!true"})
        EXPECT_EQ(check_json_path(path).error().kind, ErrorKind::bad_data) << path;
}

}  // namespace
}  // namespace tarn
