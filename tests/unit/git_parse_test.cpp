#include <gtest/gtest.h>

#include "git/parse.h"
#include "git/repository.h"

namespace tarn::git {
namespace {

TEST(GitParse, CommitKeepsParentsPeopleAndMessage) {
    auto commit = parse_commit(
        "c1",
        "tree t1\nparent p1\nparent p2\nauthor Ann B  <ann@x.org> 1700000000 +0100\n"
        "committer C <> 1700000001 -0800\ngpgsig -----BEGIN\n more\n -----END\n\n\nSubject\n\nBody\n");
    EXPECT_EQ(commit.sha, "c1");
    EXPECT_EQ(commit.parents, (std::vector<std::string>{"p1", "p2"}));
    EXPECT_EQ(commit.author.name, "Ann B");
    EXPECT_EQ(commit.author.email, "ann@x.org");
    EXPECT_EQ(commit.author.when, 1700000000000);
    EXPECT_EQ(commit.committer.email, "");
    EXPECT_EQ(commit.committer.when, 1700000001000);
    EXPECT_EQ(commit.message, "Subject\n\nBody\n");
}

TEST(GitParse, EncodingHeaderIsObeyedAndUnknownBytesAreReplaced) {
    auto named = parse_commit("c",
                              "tree t\nauthor J\xfcrgen <j@x> 1 +0000\ncommitter J\xfcrgen <j@x> 1 +0000\n"
                              "encoding ISO-8859-1\n\ngr\xfc\xdf\n");
    EXPECT_EQ(named.author.name, "J\xc3\xbcrgen");
    EXPECT_EQ(named.message, "gr\xc3\xbc\xc3\x9f\n");
    auto bare = parse_commit("c", "tree t\nauthor J\xfcrgen <j@x> 1 +0000\ncommitter X <x> 1 +0000\n\nok\n");
    EXPECT_EQ(bare.author.name, "J\xef\xbf\xbdrgen");
    auto invented = parse_commit("c", "tree t\nauthor A <a> 1 +0000\nencoding no-such\n\ntext");
    EXPECT_EQ(invented.message, "text");
}

TEST(GitParse, BrokenPeopleAreNoReasonToFail) {
    auto commit =
        parse_commit("c", "tree t\nauthor nobody\ncommitter A <a<b> x> 99999999999999999999 +0000\n\n");
    EXPECT_EQ(commit.author.name, "nobody");
    EXPECT_FALSE(commit.author.when);
    EXPECT_EQ(commit.committer.email, "a<b");
    EXPECT_FALSE(commit.committer.when);
    EXPECT_EQ(parse_commit("c", "").message, "");
}

TEST(GitParse, CleanDropsNulAndCutsCharactersNotBytes) {
    EXPECT_EQ(clean(std::string_view("a\0b", 3)), "ab");
    EXPECT_EQ(clean("\xc3\xbc\xc3\xbc\xc3\xbc", 2), "\xc3\xbc\xc3\xbc");
    EXPECT_EQ(clean("abc", 3), "abc");
}

TEST(GitParse, RecordsDoNotDependOnWhereTheStreamIsCut) {
    const std::string stream("one\0two\n2\0\0end\0", 15);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        Records records('\0');
        std::vector<std::string> got;
        auto take = [&](std::string_view record) {
            got.emplace_back(record);
            return true;
        };
        records.feed(std::string_view(stream).substr(0, cut), take);
        records.feed(std::string_view(stream).substr(cut), take);
        EXPECT_EQ(got, (std::vector<std::string>{"one", "two\n2", "", "end"})) << cut;
    }
}

TEST(GitParse, ObjectsDoNotDependOnWhereTheStreamIsCut) {
    const std::string stream = "aa commit 5\na\nb\nc\nbb missing\ncc blob 0\n\n";
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        Objects objects;
        std::vector<std::string> got;
        auto take = [&](const std::string& sha, std::string_view type, std::string_view bytes) {
            got.push_back(sha + "|" + std::string(type) + "|" + std::string(bytes));
        };
        objects.feed(std::string_view(stream).substr(0, cut), take);
        objects.feed(std::string_view(stream).substr(cut), take);
        EXPECT_EQ(got, (std::vector<std::string>{"aa|commit|a\nb\nc", "bb|missing|", "cc|blob|"})) << cut;
    }
}

TEST(GitParse, OfALargeObjectTheBeginComesAndTheRestIsSkipped) {
    const std::string begin(Objects::begin_bytes, 'x'),
        stream = "aa blob 9000\n" + begin + std::string(1000, 'y') + "\nbb blob 1\nz\n";
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        Objects objects(Objects::begin_bytes);
        std::vector<std::string> got;
        auto take = [&](const std::string& sha, std::string_view type, std::string_view bytes) {
            got.push_back(sha + "|" + std::string(type) + "|" + std::string(bytes));
        };
        objects.feed(std::string_view(stream).substr(0, cut), take);
        objects.feed(std::string_view(stream).substr(cut), take);
        EXPECT_EQ(got, (std::vector<std::string>{"aa|large|" + begin, "bb|blob|z"})) << cut;
    }
}

TEST(GitParse, RawAndNumstatRecords) {
    auto raw = parse_raw(":100644 000000 1111 0000 D");
    ASSERT_TRUE(raw);
    EXPECT_EQ(raw->old_mode, "100644");
    EXPECT_EQ(raw->new_mode, "000000");
    EXPECT_EQ(raw->old_sha, "1111");
    EXPECT_EQ(raw->new_sha, "0000");
    EXPECT_FALSE(parse_raw("dir/file"));
    auto lines = parse_numstat("12\t3\ta\tb");
    ASSERT_TRUE(lines);
    EXPECT_EQ(lines->additions, 12);
    EXPECT_EQ(lines->deletions, 3);
    EXPECT_EQ(lines->name, "a\tb");
    auto binary = parse_numstat("-\t-\tpicture.png");
    ASSERT_TRUE(binary);
    EXPECT_EQ(binary->additions, 0);
    EXPECT_FALSE(parse_numstat("no tabs"));
}

TEST(GitParse, UrlsGiveUpTheirCredentials) {
    auto plain = split_url("https://git:a%40b%2Fc@host.org:8443/o/r.git");
    EXPECT_EQ(plain.url, "https://host.org:8443/o/r.git");
    EXPECT_EQ(plain.user, "git");
    EXPECT_EQ(plain.password, "a@b/c");
    EXPECT_EQ(split_url("https://host.org/a@b").url, "https://host.org/a@b");
    EXPECT_EQ(split_url("git@host.org:o/r.git").url, "git@host.org:o/r.git");
    EXPECT_EQ(split_url("ssh://git@host.org/r").url, "ssh://git@host.org/r");
    EXPECT_EQ(split_url("https://100%@host/x").user, "100%");
}

}  // namespace
}  // namespace tarn::git
