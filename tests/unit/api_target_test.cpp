// Which pattern a request target fits, and what a key's path is compared with.
#include "api/target.h"

#include <optional>

#include <gtest/gtest.h>

namespace tarn::api {
namespace {

std::optional<Match> match(const std::string& pattern, const std::string& target) {
    Match found;
    if (!matches(segments_of(pattern), segments_of(target), found)) return std::nullopt;
    return found;
}

TEST(Target, ValuesAreDecodedOneByOne) {
    auto found = match("/projects/{name}/check", "/projects/a%2Fb%20c+d/check?x=1");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->values["name"], "a/b c+d");
    EXPECT_EQ(found->shown, "/projects/a%2Fb c+d/check");
    EXPECT_FALSE(match("/projects/{name}/check", "/projects/a/b/check"));
    EXPECT_FALSE(match("/projects/{name}", "/projects/"));
}

TEST(Target, TrailingAndDoubleSlashesDoNotCount) {
    EXPECT_TRUE(match("/a/{b}", "//a//1//"));
    EXPECT_TRUE(match("/", "/"));
}

TEST(Target, RestTakesWhatStandsBeforeTheEnd) {
    auto found = match("/scopes/{id...}/state", "/scopes/a/b%2Fc/state");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->values["id"], "a/b/c");
    EXPECT_EQ(found->rest, "a/b%2Fc");
    EXPECT_EQ(found->shown, "/scopes/a%2Fb%2Fc/state");
    EXPECT_FALSE(match("/scopes/{id...}/state", "/scopes/state"));
    EXPECT_FALSE(match("/scopes/{id...}", "/scopes"));
}

TEST(Target, BrokenEscapesStayText) { EXPECT_EQ(decoded("%zz%4"), "%zz%4"); }

TEST(Target, QueriesAreDecoded) {
    auto query = query_of("/x?a=1+2&b=%26&c&a=3#d=4");
    EXPECT_EQ(query.count("a"), 2U);
    EXPECT_EQ(query.find("b")->second, "&");
    EXPECT_EQ(query.find("c")->second, "");
    EXPECT_FALSE(query.contains("d"));
}

}  // namespace
}  // namespace tarn::api
