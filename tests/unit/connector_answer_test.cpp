#include "connector/answer.h"

#include <gtest/gtest.h>

namespace tarn::connector {
namespace {

const std::string page_text =
    R"({"total": 3, "page": {"next": "c-2"}, "items": [)"
    R"({"id": 1, "name": "a{[\"", "labels": [{"name": "bug"}], "state": "open"}, )"
    R"({"id": 2, "name": "ü", "labels": [], "parent": {"id": [1, {"x": null}]}, "state": "open"}], "last": true})";

ReadRules rules() {
    ReadRules rules;
    rules.rows = "/items";
    rules.key = {"/id"};
    rules.keep = {{"/state", "open"}};
    rules.drop = {{"/parent/kind", "folder"}};
    rules.since_field = "/updated_at";
    rules.since = 1;
    rules.look_up = {"/last", "/total", "/page/next", "/missing/one"};
    return rules;
}

TEST(Answer, ReadsItemsAndWhatThePageSays) {
    auto page = read_page(page_text, rules(), 1);
    ASSERT_TRUE(page) << page.error().text();
    ASSERT_EQ(page->items.size(), 2U);
    EXPECT_EQ(page->items[0].key, "1");
    EXPECT_EQ(page->items[1].key, "2");
    EXPECT_EQ(page->values["/last"], "true");
    EXPECT_EQ(page->values["/page/next"], "c-2");
    EXPECT_EQ(page->values["/missing/one"], std::nullopt);
}

TEST(Answer, APageThatIsCutAnywhereIsRefused) {
    for (std::size_t length = 1; length < page_text.size(); ++length) {
        auto page = read_page(page_text.substr(0, length), rules(), 1);
        ASSERT_FALSE(page) << "cut at " << length;
        EXPECT_EQ(page.error().kind, ErrorKind::bad_data);
    }
}

TEST(Answer, APageInAListThatIsCutAnywhereIsRefused) {
    const std::string list = R"([{"id": 1, "of": {"a": [1, 2]}}, {"id": 2, "of": [{"b": {}}]}])";
    ReadRules rules;
    rules.key = {"/id", "/of/a"};
    rules.look_up = {"/0/id", "/1/of/0/b"};
    for (std::size_t length = 1; length < list.size(); ++length)
        EXPECT_FALSE(read_page(list.substr(0, length), rules, 1)) << "cut at " << length;
}

TEST(Answer, ABrokenItemIsKeptAsTextUnderAKeyOfItsPlace) {
    ReadRules rules;
    rules.key = {"/id"};
    rules.drop = {{"/kind", "folder"}, {"/state", "gone"}};
    auto page = read_page(R"([{"kind": nope, "state": tru, "id": "\q"}, {"id": 6}])", rules, 4);
    ASSERT_TRUE(page) << page.error().text();
    ASSERT_EQ(page->items.size(), 2U);
    EXPECT_EQ(page->items[0].key, "?4:0");
    EXPECT_EQ(page->items[1].key, "6");
}

}  // namespace
}  // namespace tarn::connector
