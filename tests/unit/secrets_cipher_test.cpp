#include <array>

#include <gtest/gtest.h>

#include "secrets/cipher.h"

namespace tarn::secrets {
namespace {

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

TEST(Cipher, ALockedOneOpensAndSealsNothing) {
    auto cipher = Cipher::locked({ErrorKind::terminal, "the key is missing", "here", "find it"});
    for (const auto& done : {cipher.encrypt("x"), cipher.decrypt(old_format[1].stored)}) {
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().text(), "here: the key is missing. find it");
    }
}

}  // namespace
}  // namespace tarn::secrets
