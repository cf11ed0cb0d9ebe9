// Measuring projects after a scope was collected, without a blueprint.
//
// A metric that has numbers, and no option that must be set, runs as its connector.yaml plans it. A scope is part of a project where project_mapping names one of the
// repositories, boards, CI scopes or code quality projects that were made of it.
// Thread rule: any thread; not inside a write job. Errors: those of the tasks and stores.
#pragma once

#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "run/home.h"
#include "run/platform.h"

namespace tarn::run {

// Adds what was made of the scope with these raw params to the project. Value: how many rows of the domain layer it is.
Result<std::size_t> add_to_project(const Home& home, const Platform& platform,
                                   const connector::Connector& connector, const std::string& params,
                                   const std::string& project);
Result<std::vector<std::string>> projects_of_scope(const Home& home, const connector::Connector& connector,
                                                   const std::string& params);
Result<> measure_project(const Home& home, const Platform& platform, const std::string& project,
                         const CancelToken& cancel);

}  // namespace tarn::run
