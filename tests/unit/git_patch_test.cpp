#include <gtest/gtest.h>

#include "git/patch.h"

namespace tarn::git {
namespace {

class Log final : public PatchTaker {
  public:
    void commit(std::string_view sha) override { text += "c" + std::string(sha.substr(0, 2)) + "\n"; }
    void file(const std::string& path) override { text += "f" + path + "\n"; }
    void binary() override { text += "b\n"; }
    void hunk(const Hunk& hunk) override {
        text += "h" + std::to_string(hunk.old_start) + "," + std::to_string(hunk.old_lines) + "," +
                std::to_string(hunk.new_start) + "," + std::to_string(hunk.new_lines) + "\n";
    }
    void line(char kind) override { text += kind; }
    std::string text;
};

std::string read(const std::string& stream, std::size_t cut) {
    Log log;
    Patches patches(log);
    patches.feed(std::string_view(stream).substr(0, cut));
    patches.feed(std::string_view(stream).substr(cut));
    return log.text;
}

TEST(GitPatch, ContentThatLooksLikeHeadersIsContent) {
    const std::string sha(40, 'a');
    const std::string stream = sha +
                               "\ndiff --git a/x y b/x y\nindex 1..2 100644\n--- a/x y\t\n+++ b/x y\t\n"
                               "@@ -1,3 +1,2 @@ diff --git a/z b/z\n-diff --git a/q b/q\n@@ -1 +1 @@\n " +
                               sha +
                               "\n\\ No newline at end of file\n"
                               "@@ -9 +8 @@\n-a\n+b\n\\ No newline at end of file\n"
                               "diff --git a/p.bin b/p.bin\nBinary files a/p.bin and b/p.bin differ\n" +
                               sha + "\n";
    // The line "@@ -1 +1 @@" stands for one of context: a hunk is over when its lines are.
    const std::string wanted = "caa\nfx y\nh1,3,1,2\n-@ h9,1,8,1\n-+fp.bin\nb\ncaa\n";
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) ASSERT_EQ(read(stream, cut), wanted) << cut;
}

TEST(GitPatch, QuotedNamesAreRead) {
    EXPECT_EQ(unquoted("plain \\ name"), "plain \\ name");
    EXPECT_EQ(unquoted("\"a/caf\\351\\t\\\"q\\\"\\\\\\n\""), "a/caf\xe9\t\"q\"\\\n");
    Log log;
    Patches patches(log);
    patches.feed("diff --git \"a/tab\\there\" \"b/tab\\there\"\n");
    EXPECT_EQ(log.text, "ftab\there\n");
}

}  // namespace
}  // namespace tarn::git
