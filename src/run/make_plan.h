// The plan of a NORMAL blueprint, from what its connectors declare.
//
// Scope i of a connection is stage i: one task with the subtasks that are on by default and give what the scope's config wants (all, where it
// says nothing). Connections stand side by side in the stages. A connection of a plugin that is posted to, and scopes that want nothing
// of what the connector gives, have no task. A project adds its own stages (run/project_plan.h).
// Thread rule: any thread; no request is made. Errors: bad_data with the connection or scope that is missing; those of the control store.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "run/blueprints.h"

namespace tarn::run {

// With beforePlan and afterPlan; skipCollectors is obeyed.
Result<nlohmann::json> make_plan(const Home& home, const Platform& platform, const Blueprint& blueprint);

}  // namespace tarn::run
