#include "author/case_file.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "connector/yaml_block.h"

namespace tarn::author {
namespace {

namespace fs = std::filesystem;
using connector::Keys;
using connector::Problems;
using connector::Read;
using Json = nlohmann::json;

// Runs that name no time are a day apart, so that a test does the same on every day.
constexpr Millis first_now = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
constexpr Millis day = 86'400'000;

template <class T>
Read<T> object(Json T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        Json value = node.IsNull() ? Json::object() : Json::parse(connector::json_text(node), nullptr, false);
        if (value.is_object()) {
            out.*member = std::move(value);
        } else {
            problems.add(node, "expected a map");
        }
    };
}

template <class T>
Read<T> time(Millis T::*member) {
    return [member](Problems& problems, const YAML::Node& node, T& out) {
        std::string word;
        if (connector::read_text(problems, node, word) && parse_time(word, out.*member) != Parsed::ok)
            problems.add(node, "expected a time, as 2026-01-31T12:00:00Z");
    };
}

const Keys<Run>& run_keys() {
    static const Keys<Run> keys = {
        {"now", time(&Run::now)},
        {"time_after", time(&Run::time_after)},
        {"full", connector::flag(&Run::full)},
        {"fails", connector::text(&Run::fails)},
    };
    return keys;
}

void read_runs(Problems& problems, const YAML::Node& node, Case& out) {
    if (!node.IsSequence()) {
        problems.add(node, "runs must be a list of maps");
        return;
    }
    for (const auto& entry : node)
        connector::read_block(problems, entry, "run", run_keys(), out.runs.emplace_back());
}

const Keys<Case>& case_keys() {
    static const Keys<Case> keys = {
        {"about", connector::text(&Case::about)},        {"connection", object(&Case::connection)},
        {"scope", object(&Case::scope), true},           {"fetch", connector::flag(&Case::fetch)},
        {"scope_config", object(&Case::scope_config)},   {"env", object(&Case::env)},
        {"subtasks", connector::texts(&Case::subtasks)}, {"runs", read_runs},
    };
    return keys;
}

void complete_runs(Case& test) {
    if (test.runs.empty()) test.runs.emplace_back();
    for (std::size_t i = 0; i < test.runs.size(); ++i) {
        Run& run = test.runs[i];
        if (run.now == 0) run.now = i == 0 ? first_now : test.runs[i - 1].now + day;
        run.answers = run_folder(test.folder, "answers", i + 1);
        run.rows = run_folder(test.folder, "rows", i + 1);
    }
}

// What a misspelt name leaves unread would pass unseen.
void check_entries(const Case& test, Problems& problems) {
    std::vector<std::string> legal = {"case.yaml"};
    for (const auto& run : test.runs) {
        legal.push_back(fs::path(run.answers).filename());
        legal.push_back(fs::path(run.rows).filename());
    }
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(test.folder, code)) {
        std::string name = entry.path().filename();
        if (!contains(legal, name))
            problems.add(entry.path().string(), "is not used; legal here: " + join(legal, ", "));
    }
}

}  // namespace

std::string run_folder(const std::string& case_folder, const std::string& kind, std::size_t run) {
    return case_folder + "/" + kind + (run == 1 ? "" : "." + std::to_string(run));
}

Result<Case> read_case(const std::string& folder) {
    Case test;
    test.folder = folder;
    test.name = fs::path(folder).filename();
    std::string file = folder + "/case.yaml";
    std::string text;
    if (!read_file(file, text))
        return fail(ErrorKind::bad_data, "cannot be read", file, "A test is a folder with a case.yaml.");
    Problems problems(file);
    try {
        connector::read_block(problems, YAML::Load(text), "case.yaml", case_keys(), test);
    } catch (const YAML::Exception& error) {
        problems.add(file + ":" + std::to_string(error.mark.line + 1), "not YAML: " + error.msg);
    }
    complete_runs(test);
    check_entries(test, problems);
    TARN_TRY(problems.result());
    return test;
}

std::string format_case(const Case& test) {
    std::string text = "about: " + Json(test.about).dump() + "\n";
    auto add = [&](const char* name, const Json& value) {
        if (!value.empty()) text += std::string(name) + ": " + value.dump() + "\n";
    };
    add("connection", test.connection);
    text += "scope: " + test.scope.dump() + "\n";
    if (test.fetch) text += "fetch: yes\n";
    add("scope_config", test.scope_config);
    add("env", test.env);
    add("subtasks", test.subtasks);
    text += "runs:\n";
    for (const auto& run : test.runs) {
        text += "  - {now: \"" + format_rfc3339(run.now) + "\"";
        if (run.time_after != 0) text += ", time_after: \"" + format_rfc3339(run.time_after) + "\"";
        text += std::string(run.full ? ", full: yes" : "") + "}\n";
    }
    return text;
}

std::vector<std::string> case_folders(const std::string& connector_folder) {
    std::vector<std::string> folders;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(connector_folder + "/tests", code)) {
        if (entry.is_directory()) folders.push_back(entry.path().string());
    }
    std::ranges::sort(folders);
    return folders;
}

}  // namespace tarn::author
