// What a pipeline is to do, as JSON: a list of stages, each a list of tasks {"plugin", "subtasks", "options"}.
// Thread rule: pure functions. Errors: bad_data with the place in the plan, as plan[0][1].options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "run/platform.h"

namespace tarn::run {

// Its shape. Value: how many tasks there are.
Result<std::int64_t> check_stages(const nlohmann::json& stages, const std::string& name);
// Of a plan that somebody wrote: every plugin is there and has the subtasks. The shape is checked.
Result<> check_plugins(const nlohmann::json& stages, const std::string& name, const Platform& platform);

// Stage i of all of them as one stage i.
nlohmann::json side_by_side(const std::vector<nlohmann::json>& plans);
void append(nlohmann::json& stages, const nlohmann::json& more);
// Without the subtasks that collect, and without tasks that have no other; a task of all subtasks stays.
nlohmann::json without_collectors(const nlohmann::json& stages);

// Whether a subtask collects, by its name, as Apache DevLake tells.
bool collects(const std::string& subtask);

}  // namespace tarn::run
