// Private database servers for tests: started once a process, stopped when it ends. Tests that need one are skipped, saying so, where its
// packages are not installed.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "store/server/connection.h"
#include "unit/store_fixture.h"

namespace tarn {

// The URL of an empty database of its own; "" where the server cannot be started.
std::string fresh_database(server::Engine engine);

inline std::unique_ptr<server::Connection> connected(const std::string& url) {
    auto parsed = server::parse_db_url(url);
    EXPECT_TRUE(good(parsed));
    auto connection = server::connect(*parsed);
    EXPECT_TRUE(good(connection));
    return connection ? std::move(*connection) : nullptr;
}

// Of parametrized tests: "mysql", "postgres".
inline std::string engine_name(const testing::TestParamInfo<server::Engine>& info) {
    return info.param == server::Engine::mysql ? "mysql" : "postgres";
}

}  // namespace tarn
