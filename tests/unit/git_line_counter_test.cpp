#include <gtest/gtest.h>

#include "git/line_counter.h"

namespace tarn::git {
namespace {

using Numbers = std::pair<std::int64_t, std::int64_t>;  // added, deleted

Numbers counted(const std::string& before, const std::string& after) {
    LineCounter counter;
    auto lines = counter.count(before, after);
    return lines ? Numbers{lines->additions, lines->deletions} : Numbers{-1, -1};
}

// "a b" -> "a\nb\n"
std::string text_of(std::string words) {
    for (auto& c : words) c = c == ' ' ? '\n' : c;
    return words.empty() ? words : words + "\n";
}

TEST(GitLineCounter, OneSidedAndEqualTexts) {
    EXPECT_EQ(counted("", ""), Numbers(0, 0));
    EXPECT_EQ(counted("", "a\nb\n"), Numbers(2, 0));
    EXPECT_EQ(counted("a\n\nb", ""), Numbers(0, 3));
    EXPECT_EQ(counted("a\nb", "a\nb"), Numbers(0, 0));
}

TEST(GitLineCounter, ALineWithoutEndIsAnotherLine) {
    EXPECT_EQ(counted("a\nb", "a\nb\n"), Numbers(1, 1));
    EXPECT_EQ(counted("b", "a\nb"), Numbers(1, 0));
    EXPECT_EQ(counted("ab", "b"), Numbers(1, 1));
    EXPECT_EQ(counted("a\nb\n", "b\nb\n"), Numbers(1, 1));
    EXPECT_EQ(counted("x\n", "x\nx\n"), Numbers(1, 0));
}

TEST(GitLineCounter, WhatIsCommonBetweenChangesIsNoChange) {
    EXPECT_EQ(counted(text_of("h x c d e y t"), text_of("h 1 c d e 2 3 t")), Numbers(3, 2));
    EXPECT_EQ(counted(text_of("a b c a b b a"), text_of("c b a b a c")), Numbers(2, 3));
    EXPECT_EQ(counted(text_of("1 2 3 4"), text_of("4 1 2 3")), Numbers(1, 1));
}

// `git diff --no-index --numstat` says 18 and 18: the brace amid new lines matches by chance, and the fewest possible, 17, are not its answer.
TEST(GitLineCounter, ALineThatIsEverywhereMatchesNothingAmidNewLines) {
    std::string head, before, after;
    for (int n = 0; n < 40; ++n) head += "}\n";
    for (int n = 0; n < 18; ++n) {
        before += n == 9 ? "}\n" : "old " + std::to_string(n) + "\n";
        after += n == 9 ? "}\n" : "new " + std::to_string(n) + "\n";
    }
    EXPECT_EQ(counted(head + "x\n" + before, head + "x\n" + after), Numbers(18, 18));
    EXPECT_EQ(counted("x\n" + before, "x\n" + after), Numbers(17, 17));
}

TEST(GitLineCounter, WhereGitGuessesThereIsNoAnswer) {
    std::string before, after;
    for (int n = 0; n < 300; ++n) {
        before += std::to_string(n) + "\n";
        after += std::to_string(299 - n) + "\n";
    }
    EXPECT_EQ(counted(before, after), Numbers(-1, -1));
}

}  // namespace
}  // namespace tarn::git
