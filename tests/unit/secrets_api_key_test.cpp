// Digests of API keys must be DevLake's: keys made there go on working.
#include "secrets/api_key.h"

#include <gtest/gtest.h>

namespace tarn::secrets {
namespace {

TEST(ApiKey, DigestIsDevLakes) {
    const std::string digest = "0fd4f2f77094ff52cbd86e473b177c4e89f7edaabc61208275716cbc571cddb3";
    EXPECT_EQ(api_key_digest("devlake-secret", "tok123").value(), digest);
    EXPECT_EQ(api_key_digest("  devlake-secret\n", "tok123").value(), digest);
    EXPECT_NE(api_key_digest("devlake-secret", "tok124").value(), digest);
    EXPECT_FALSE(api_key_digest(" ", "tok123"));
}

TEST(ApiKey, IsLongAndOfLettersAndDigits) {
    auto first = random_api_key().value(), second = random_api_key().value();
    EXPECT_EQ(first.size(), 128U);
    EXPECT_NE(first, second);
    EXPECT_EQ(first.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
              std::string::npos);
}

}  // namespace
}  // namespace tarn::secrets
