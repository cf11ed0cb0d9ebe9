// `.env`: read as gotenv does, changed without touching what is not meant.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <re2/re2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "secrets/setting_list.h"
#include "secrets/settings.h"

namespace tarn::secrets {
namespace {

namespace fs = std::filesystem;

// ---- reading

TEST(EnvFile, ReadsLines) {
    auto values = parse_env(
        "# comment\nA=1 # tail\nexport B='x # y'\nC: \"q\\\"u\\no\"\n\n D = blank \nE=\nNOTHING\nF:no\n");
    EXPECT_EQ(values["A"], "1");
    EXPECT_EQ(values["B"], "x # y");
    EXPECT_EQ(values["C"], "q\"u\no");
    EXPECT_EQ(values["D"], "blank");
    EXPECT_EQ(values["E"], "");
    EXPECT_FALSE(values.contains("NOTHING"));
    EXPECT_FALSE(values.contains("F")) << "a colon needs a blank behind it";
}

TEST(EnvFile, ReadsWhatOldReleasesWrote) {
    auto values = parse_env(
        "DB_URL=user:pass@tcp(host:3306)/lake?charset=utf8mb4&loc=UTC\r\nPORT=:8080\r\n"
        "PATTERN=type/(.*)$\nCUT=pass#word\nlower_case=x");
    EXPECT_EQ(values["DB_URL"], "user:pass@tcp(host:3306)/lake?charset=utf8mb4&loc=UTC");
    EXPECT_EQ(values["PORT"], ":8080");
    EXPECT_EQ(values["PATTERN"], "type/(.*)$");
    EXPECT_EQ(values["CUT"], "pass") << "that is what the file says to gotenv, too";
    EXPECT_EQ(values["LOWER_CASE"], "x");
}

TEST(EnvFile, ExpandsVariables) {
    ::setenv("TARN_TEST_OUTSIDE", "process", 1);
    auto values = parse_env(
        "A=one\nB=$A-${A}\nC='$A'\nD=\"\\$A \\\\ $A\"\nE=$TARN_TEST_OUTSIDE\nF=$NOBODY_SETS.\nG=$lower\n"
        "TARN_TEST_OUTSIDE=file\nH=$TARN_TEST_OUTSIDE\n");
    ::unsetenv("TARN_TEST_OUTSIDE");
    EXPECT_EQ(values["B"], "one-one");
    EXPECT_EQ(values["C"], "$A");
    EXPECT_EQ(values["D"], "$A \\ one");
    EXPECT_EQ(values["E"], "process");
    EXPECT_EQ(values["F"], ".");
    EXPECT_EQ(values["G"], "$lower");
    EXPECT_EQ(values["H"], "process");
}

TEST(EnvFile, AQuoteInsideAndACommentBehind) {
    auto values = parse_env("A=\"a\"b\"\nB=\"x\" # \"y\"\nC='it\\'\nD=\"open\n");
    EXPECT_EQ(values["A"], "a\"b");
    EXPECT_EQ(values["B"], "x");
    EXPECT_EQ(values["C"], "it\\");
    EXPECT_EQ(values["D"], "\"open");
}

TEST(EnvFile, TheLastLineOfANameCounts) { EXPECT_EQ(parse_env("A=1\nB=2\nA=3\n")["A"], "3"); }

// ---- changing

std::string changed(const std::string& text, const EnvChanges& changes) {
    auto done = changed_env(text, changes);
    return done ? *done : "error: " + done.error().text();
}

TEST(EnvFile, ChangesItsLineAndNoOther) {
    EXPECT_EQ(changed("# mine\n\n  PORT=9000\t\nA=\nDB_URL='x'  # y\n", {{"A", "new"}}),
              "# mine\n\n  PORT=9000\t\nA=\"new\"\nDB_URL='x'  # y\n");
    EXPECT_EQ(changed("A=1\r\nB=2\r\n", {{"A", "x"}}), "A=\"x\"\r\nB=2\r\n");
    EXPECT_EQ(changed("PORT=9000", {{"A", "x"}}), "PORT=9000\nA=\"x\"\n");
    EXPECT_EQ(changed("", {{"A", "x"}}), "A=\"x\"\n");
    EXPECT_EQ(changed("A=1\nno line at all\nA=2\n", {{"A", "x"}}), "A=1\nno line at all\nA=\"x\"\n");
    EXPECT_EQ(changed("a=1\n", {{"A", "x"}}), "A=\"x\"\n");
}

TEST(EnvFile, TakesLinesOut) {
    EXPECT_EQ(changed("# c\nA=1\nB=2\nexport A=3\n", {{"A", std::nullopt}, {"C", std::nullopt}}),
              "# c\nB=2\n");
}

TEST(EnvFile, WhatIsWrittenIsReadAgain) {
    for (const std::string value :
         {"plain", "with blank # and hash", "do$LLAR and ${X}", "a'b", "a\"b", "a\\nb", "back\\slash'",
          " blank ends ", "it's $5 \\ \"x\"", "\xC3\xA9=:"}) {
        auto text = changed("X=unused\n", {{"KEY", value}});
        EXPECT_EQ(parse_env(text)["KEY"], value) << text;
    }
}

// ---- settings

class SettingsTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "tarn-settings-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        before_ = fs::current_path();
        forget_environment();
        ::setenv("ENV_FILE", file().c_str(), 1);
    }
    void TearDown() override {
        fs::current_path(before_);
        forget_environment();
        fs::remove_all(folder_);
    }
    static void forget_environment() {
        for (const auto* name :
             {"ENV_FILE", "ENV_PATH", secret_setting, old_secret_setting, previous_secret_setting})
            ::unsetenv(name);
    }
    [[nodiscard]] std::string file() const { return (folder_ / ".env").string(); }
    static void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
    static std::string content(const fs::path& path) {
        std::string text;
        read_file(path.string(), text);
        return text;
    }
    static std::vector<std::string> keys() {
        std::vector<std::string> out;
        for (const auto& candidate : key_candidates(*Settings::read(""))) out.push_back(candidate.value);
        return out;
    }
    fs::path folder_, before_;
};

TEST_F(SettingsTest, TheProcessWinsOverTheFileUnlessEmpty) {
    write(file(), "API_RETRY=of-file\n");
    EXPECT_EQ(Settings::read("")->get("API_RETRY"), "of-file");
    ::setenv("API_RETRY", "of-process", 1);
    EXPECT_EQ(Settings::read("")->get("API_RETRY"), "of-process");
    EXPECT_EQ(Settings::read("")->of_file("API_RETRY"), "of-file");
    ::setenv("API_RETRY", "", 1);
    EXPECT_EQ(Settings::read("")->get("API_RETRY"), "of-file");
    ::unsetenv("API_RETRY");
}

TEST_F(SettingsTest, SavesForItsUserAlone) {
    write(file(), "# mine\nPORT=9000\n");
    fs::permissions(file(), fs::perms::all);
    auto settings = *Settings::read("");
    ASSERT_TRUE(settings.save({{"A", "x"}}));
    EXPECT_EQ(content(file()), "# mine\nPORT=9000\nA=\"x\"\n");
    EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(settings.get("A"), "x");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "no draft is left";
}

TEST_F(SettingsTest, ALinkStaysALink) {
    write(folder_ / "real", "A=1\n");
    fs::create_symlink(folder_ / "real", file());
    ASSERT_TRUE(Settings::read("")->save({{"A", "2"}}));
    EXPECT_TRUE(fs::is_symlink(file()));
    EXPECT_EQ(content(folder_ / "real"), "A=\"2\"\n");
}

TEST_F(SettingsTest, WhereTheFileIs) {
    auto home = folder_ / "home", work = folder_ / "work";
    fs::create_directories(home);
    fs::create_directories(work);
    fs::current_path(work);
    EXPECT_EQ(Settings::read(home)->file(), file());
    ::unsetenv("ENV_FILE");
    ::setenv("ENV_PATH", (folder_ / "any.name").c_str(), 1);
    EXPECT_EQ(Settings::read(home)->file(), file());
    ::unsetenv("ENV_PATH");
    EXPECT_EQ(Settings::read(home)->file(), ".env");
    write(home / ".env", "A=home\n");
    EXPECT_EQ(Settings::read(home)->get("A"), "home") << "the working directory has none";
    write(work / ".env", "A=work\n");
    EXPECT_EQ(Settings::read(home)->get("A"), "work");
}

TEST_F(SettingsTest, SaysWhereItCannotWrite) {
    write(file(), "not a folder");
    ::setenv("ENV_FILE", (file() + "/.env").c_str(), 1);
    auto saved = Settings::read("")->save({{"A", "secret value"}});
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().kind, ErrorKind::terminal);
    EXPECT_EQ(saved.error().place, file() + "/.env");
    EXPECT_NE(saved.error().next_step.find("ENV_FILE"), std::string::npos);
    EXPECT_EQ(saved.error().text().find("secret value"), std::string::npos);
}

TEST_F(SettingsTest, KeysInTheirOrder) {
    EXPECT_TRUE(keys().empty());
    write(file(), "ENCODE_KEY=old\n");
    EXPECT_EQ(keys(), (std::vector<std::string>{"old"}));
    write(file(), "ENCODE_KEY=old\nENCRYPTION_SECRET=new\nENCRYPTION_SECRET_PREVIOUS=before\n");
    EXPECT_EQ(keys(), (std::vector<std::string>{"new", "old", "before"}));
    ::setenv(secret_setting, "outside", 1);
    ::setenv(old_secret_setting, "new", 1);
    EXPECT_EQ(keys(), (std::vector<std::string>{"outside", "new", "old", "before"}));
    EXPECT_EQ(key_candidates(*Settings::read("")).front().source, "ENCRYPTION_SECRET in the environment");
    EXPECT_TRUE(key_candidates(*Settings::read("")).back().is_previous);
}

TEST_F(SettingsTest, ARandomSecretIsLettersAsDevLakeMakesThem) {
    auto made = *random_secret();
    EXPECT_EQ(made.size(), 128U);
    EXPECT_EQ(made.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos);
    EXPECT_NE(made, *random_secret());
}

// ---- the list of settings

std::set<std::string> names_read_in(const std::string& text) {
    // get("X"), environment("X"), getenv("X"), limit_of(home, "X", …): a name in upper case as the first text of a call
    static const RE2 reading(
        R"re((?:get|environment|getenv|limit_of|is_off|number_of)\((?:\w+, )?"([A-Z][A-Z0-9_]{2,})")re");
    std::set<std::string> names;
    re2::StringPiece rest(text);
    std::string name;
    while (RE2::FindAndConsume(&rest, reading, &name)) names.insert(name);
    return names;
}

// Fails for a setting that is read but not declared, and for one that is declared and read nowhere.
TEST(SettingList, HoldsWhatTheSourcesRead) {
    std::set<std::string> declared, read = {secret_setting, old_secret_setting, previous_secret_setting};
    for (const auto& setting : setting_list()) {
        EXPECT_TRUE(declared.emplace(setting.name).second) << setting.name << " is declared twice";
        EXPECT_FALSE(setting.effect.empty()) << setting.name;
    }
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(TARN_TEST_ROOT) / "src")) {
        if (entry.path().extension() != ".cpp") continue;
        std::string text;
        ASSERT_TRUE(read_file(entry.path().string(), text));
        read.merge(names_read_in(text));
    }
    read.erase("PATH");  // where programs are found: no setting of ours
    EXPECT_EQ(declared, read);
}

}  // namespace
}  // namespace tarn::secrets
