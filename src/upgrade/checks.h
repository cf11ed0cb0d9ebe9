// What a database server must allow before an upgrade may begin: looked up in its catalogue, nothing is written.
//
// Thread rule: one thread. Errors: those of the connection; what forbids the upgrade comes as a list, each with the next step.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "upgrade/database.h"

namespace tarn::upgrade {

struct ServerChecks {
    std::vector<Error> problems;     // each forbids the upgrade
    std::vector<std::string> notes;  // to be known
};

// `version`: what the server's version() says. MariaDB may have a number of MySQL's in front of its own.
bool is_too_old(server::Engine engine, const std::string& version);

// Version, read-only servers, rights, character sets, this machine's clock, other connections.
Result<ServerChecks> check_server(Database& database,
                                  const std::function<bool(const std::string& table)>& is_own);

}  // namespace tarn::upgrade
