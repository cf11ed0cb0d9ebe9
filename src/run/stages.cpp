#include "run/stages.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "run/task.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

Failure misplaced(const std::string& where, const std::string& message, const std::string& next_step = {}) {
    return fail(ErrorKind::bad_data, message, where, next_step);
}

std::vector<std::string> subtasks_of(const Json& task) {
    auto found = task.find("subtasks");
    return found == task.end() || found->is_null() ? std::vector<std::string>()
                                                   : found->get<std::vector<std::string>>();
}

Result<> check_task(const Json& task, const std::string& where) {
    if (!task.is_object()) return misplaced(where, "must be an object with plugin and options");
    auto plugin = task.find("plugin");
    if (plugin == task.end() || !plugin->is_string() || plugin->get_ref<const std::string&>().empty())
        return misplaced(where, "must name a plugin");
    auto options = task.find("options");
    if (options != task.end() && !options->is_null() && !options->is_object())
        return misplaced(where + ".options", "must be an object");
    auto subtasks = task.find("subtasks");
    if (subtasks == task.end() || subtasks->is_null()) return {};
    bool texts = subtasks->is_array() &&
                 std::ranges::all_of(*subtasks, [](const Json& name) { return name.is_string(); });
    return texts ? Result<>() : misplaced(where + ".subtasks", "must be a list of names");
}

}  // namespace

bool collects(const std::string& subtask) { return lower(subtask).find("collect") != std::string::npos; }

Result<std::int64_t> check_stages(const Json& stages, const std::string& name) {
    std::int64_t tasks = 0;
    if (!stages.is_array()) return misplaced(name, "must be a list of stages, each a list of tasks");
    for (std::size_t s = 0; s < stages.size(); ++s) {
        if (!stages[s].is_array())
            return misplaced(fmt::format("{}[{}]", name, s), "must be a list of tasks");
        for (std::size_t t = 0; t < stages[s].size(); ++t) {
            TARN_TRY(check_task(stages[s][t], fmt::format("{}[{}][{}]", name, s, t)));
            ++tasks;
        }
    }
    return tasks;
}

Result<> check_plugins(const Json& stages, const std::string& name, const Platform& platform) {
    for (std::size_t s = 0; s < stages.size(); ++s) {
        for (std::size_t t = 0; t < stages[s].size(); ++t) {
            const auto& task = stages[s][t];
            auto plugin = task["plugin"].get<std::string>();
            const auto* loaded = platform.connector(plugin);
            auto where = fmt::format("{}[{}][{}]", name, s, t);
            if (loaded == nullptr)
                return misplaced(where, "there is no plugin '" + plugin + "'",
                                 "GET /plugins lists them. Take the task out or correct its plugin.");
            auto chosen = chosen_subtasks(loaded->connector, subtasks_of(task), false);
            if (!chosen) return misplaced(where + ".subtasks", chosen.error().text());
        }
    }
    return {};
}

Json side_by_side(const std::vector<Json>& plans) {
    Json out = Json::array();
    for (const auto& plan : plans) {
        for (std::size_t stage = 0; stage < plan.size(); ++stage) {
            if (stage == out.size()) out.push_back(Json::array());
            append(out[stage], plan[stage]);
        }
    }
    return out;
}

void append(Json& stages, const Json& more) {
    for (const auto& item : more) stages.push_back(item);
}

Json without_collectors(const Json& stages) {
    Json out = Json::array();
    for (const auto& stage : stages) {
        Json kept = Json::array();
        for (Json task : stage) {
            auto names = subtasks_of(task);
            bool all = names.empty();
            std::erase_if(names, collects);
            if (!all && names.empty()) continue;
            if (!all) task["subtasks"] = names;
            kept.push_back(std::move(task));
        }
        if (!kept.empty()) out.push_back(std::move(kept));
    }
    return out;
}

}  // namespace tarn::run
