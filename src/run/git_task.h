// Tasks of plugins that declare `native: git`, and where the scopes of others have their repository (`scope: git:`, docs/git.md).
// Thread rule: any thread. Errors: bad_data with the option's name; those of git/extract.h.
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "run/connection.h"
#include "run/job.h"
#include "run/scopes.h"

namespace tarn::run {

// The job that reads the repository of the request's options.
Result<Job> git_job(const Home& home, const JobRequest& request);

// The task that reads a scope's repository, for a plan; nullopt where its plugin declares none, the scope has no address, or no plugin reads git.
Result<std::optional<nlohmann::json>> git_task_of(const Platform& platform,
                                                  const connector::Connector& connector,
                                                  const Connection& connection, const ScopeRow& scope,
                                                  const nlohmann::json& scope_config);

// The plugin that reads git; nullptr where there is none.
const LoadedConnector* git_plugin(const Platform& platform);

}  // namespace tarn::run
