// The home that a restore goes into: whether it may, and the row that says that it is not whole.
//
// Thread rule: one thread. Errors: terminal: the home is not empty, or in use; those of the stores.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "run/platform.h"
#include "secrets/settings.h"
#include "store/server/connection.h"

namespace tarn::backup {

class Target {
  public:
    // Looks, and changes no row. terminal: the home has rows, and not from a restore that did not end.
    static Result<Target> look(const std::string& folder, const run::Platform& platform,
                               const secrets::Settings& settings);

    // Takes away what a restore before this one has left, and notes that one goes on. Not while the home is open.
    Result<> begin(const std::string& backup);
    // New ids of an `auto` table come behind this one. Before its rows.
    Result<> set_last_id(ControlStore& control, const Table& table, std::int64_t id);

  private:
    Target(std::string folder, const run::Platform& platform, const secrets::Settings& settings)
        : folder_(std::move(folder)), platform_(&platform), settings_(&settings) {}
    Result<> look_at_files();
    Result<> look_at_server();
    Result<> begin_files(const std::string& backup);
    Result<> begin_server(const std::string& backup);

    std::string folder_;
    const run::Platform* platform_;
    const secrets::Settings* settings_;
    std::unique_ptr<server::Connection> connection_;  // of a server home
    bool begun_ = false;                              // by a restore that did not end
};

}  // namespace tarn::backup
