#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/text.h"
#include "secrets/cipher.h"
#include "secrets/settings.h"

namespace tarn::secrets {
namespace {

namespace fs = std::filesystem;

Cipher cipher_of(const std::string& secret) { return *Cipher::make(secret); }

// ---- cipher

struct Vector {
    const char* text;
    const char* stored;
};

// Written by DevLake with the secret "devlake-secret".
constexpr std::array<Vector, 4> old_format = {{{"", "iIzH93qxPcYgSNo0dDr9xg=="},
                                               {"hello", "CyLsTFhUOtCZABLkeoe/Ww=="},
                                               {R"({"a":1})", "4Iw/FnQtaUa/8C1AMbil/Q=="},
                                               {"null", "K447VdfGN8YZhrrVSLxTKg=="}}};

TEST(Cipher, ReadsTheOldFormat) {
    auto cipher = cipher_of("devlake-secret");
    for (const auto& vector : old_format) {
        auto text = cipher.decrypt(vector.stored);
        ASSERT_TRUE(text) << text.error().text();
        EXPECT_EQ(*text, vector.text);
    }
}

// Made with Python's `cryptography` from the described format: nonce 000102…0b.
TEST(Cipher, ReadsTheNewFormat) {
    auto text =
        cipher_of("devlake-secret").decrypt("AAECAwQFBgcICQoLDbwZJ1hcnNo45opxa0EpQ6RAbJ3RD/gb189yIg==");
    ASSERT_TRUE(text) << text.error().text();
    EXPECT_EQ(*text, "hello");
}

TEST(Cipher, WritesWhatItReads) {
    auto cipher = cipher_of("devlake-secret");
    for (const std::string text : {"", "hello", "{\"a\":1}", "longer than a block, with \xC3\xA9 and \n"}) {
        auto stored = cipher.encrypt(text);
        ASSERT_TRUE(stored);
        EXPECT_EQ(*cipher.decrypt(*stored), text);
        EXPECT_NE(*stored, *cipher.encrypt(text)) << "equal texts must not look equal";
    }
}

TEST(Cipher, TellsAWrongSecret) {
    for (const std::string& stored :
         {std::string(old_format[1].stored), *cipher_of("devlake-secret").encrypt("hello")}) {
        auto text = cipher_of("another").decrypt(stored);
        ASSERT_FALSE(text);
        EXPECT_EQ(text.error().kind, ErrorKind::terminal);
        EXPECT_NE(text.error().text().find("ENCRYPTION_SECRET"), std::string::npos);
    }
}

TEST(Cipher, RefusesAChangedText) {
    auto cipher = cipher_of("devlake-secret");
    auto stored = *cipher.encrypt("a token of some length");
    stored[20] = stored[20] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(cipher.decrypt(stored));
}

TEST(Cipher, RefusesWhatIsNotEncrypted) {
    auto cipher = cipher_of("devlake-secret");
    for (const auto* stored : {"", "plain text", "abc", "aGVsbG8="})
        EXPECT_FALSE(cipher.decrypt(stored)) << stored;
    EXPECT_FALSE(Cipher::make(""));
}

// ---- settings

class SettingsTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "tarn-settings-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        ::unsetenv("ENCRYPTION_SECRET");
        ::unsetenv("ENV_PATH");
        ::setenv("ENV_FILE", file().c_str(), 1);
    }
    void TearDown() override {
        for (const auto* name : {"ENV_FILE", "ENV_PATH", "ENCRYPTION_SECRET"}) ::unsetenv(name);
        fs::remove_all(folder_);
    }
    [[nodiscard]] std::string file() const { return (folder_ / ".env").string(); }
    void write(const std::string& text) const { std::ofstream(file()) << text; }
    [[nodiscard]] std::string content() const {
        std::string text;
        read_file(file(), text);
        return text;
    }
    fs::path folder_;
};

TEST_F(SettingsTest, ReadsLines) {
    auto values =
        parse_env("# comment\nA=1 # tail\nexport B='x # y'\nC: \"q\\\"u\\no\"\n\n D = blank \nE=\nNOTHING\n");
    EXPECT_EQ(values["A"], "1");
    EXPECT_EQ(values["B"], "x # y");
    EXPECT_EQ(values["C"], "q\"u\no");
    EXPECT_EQ(values["D"], "blank");
    EXPECT_EQ(values["E"], "");
    EXPECT_FALSE(values.contains("NOTHING"));
}

TEST_F(SettingsTest, TheProcessWinsOverTheFileUnlessEmpty) {
    write("ENCRYPTION_SECRET=of-file\n");
    EXPECT_EQ(*Settings::read("")->encryption_secret(), "of-file");
    ::setenv("ENCRYPTION_SECRET", "of-process", 1);
    EXPECT_EQ(*Settings::read("")->encryption_secret(), "of-process");
    ::setenv("ENCRYPTION_SECRET", "", 1);
    EXPECT_EQ(*Settings::read("")->encryption_secret(), "of-file");
    EXPECT_EQ(content(), "ENCRYPTION_SECRET=of-file\n");
}

TEST_F(SettingsTest, MakesASecretOnce) {
    auto made = *Settings::read("")->encryption_secret();
    EXPECT_EQ(made.size(), 128U);
    EXPECT_EQ(made.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos);
    EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(*Settings::read("")->encryption_secret(), made);
}

TEST_F(SettingsTest, KeepsCommentsAndOtherLines) {
    write("# mine\nPORT=9000\nENCRYPTION_SECRET=\nDB_URL='x'  # y\n");
    auto made = *Settings::read("")->encryption_secret();
    EXPECT_EQ(content(), "# mine\nPORT=9000\nENCRYPTION_SECRET=\"" + made + "\"\nDB_URL='x'  # y\n");
}

TEST_F(SettingsTest, AFileWithoutLastNewlineIsKept) {
    write("PORT=9000");
    auto made = *Settings::read("")->encryption_secret();
    EXPECT_EQ(content(), "PORT=9000\nENCRYPTION_SECRET=\"" + made + "\"\n");
}

TEST_F(SettingsTest, EnvPathNamesTheFolder) {
    ::unsetenv("ENV_FILE");
    ::setenv("ENV_PATH", (folder_ / "any.name").c_str(), 1);
    EXPECT_EQ(Settings::read("")->file(), file());
}

TEST_F(SettingsTest, SaysWhereItCannotWrite) {
    write("not a folder");
    ::setenv("ENV_FILE", (file() + "/.env").c_str(), 1);
    auto secret = Settings::read("")->encryption_secret();
    ASSERT_FALSE(secret);
    EXPECT_NE(secret.error().text().find(".env"), std::string::npos);
}

}  // namespace
}  // namespace tarn::secrets
