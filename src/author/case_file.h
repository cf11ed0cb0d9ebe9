// A connector's own test: the folder tests/<case>/ with case.yaml, answers/ and rows/ (docs/connectors.md, "Test it").
// Thread rule: pure functions.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "base/time.h"

namespace tarn::author {

struct Run {
    Millis now = 0, time_after = 0;
    bool full = false;
    std::string fails;          // a part of the error that the run has to end with; empty: it has to succeed
    std::string answers, rows;  // folders
};

struct Case {
    std::string name, folder, about;
    // fields and columns by their declared names
    nlohmann::json connection = nlohmann::json::object(), scope = nlohmann::json::object(),
                   scope_config = nlohmann::json::object(), env = nlohmann::json::object();
    bool fetch = false;                 // the scope is asked for by the declared `fetch`
    std::vector<std::string> subtasks;  // empty: those on by default
    std::vector<Run> runs;              // one at least
};

// bad_data with file, line and what is legal; all mistakes of case.yaml in one error.
Result<Case> read_case(const std::string& folder);
// The text of a case.yaml.
std::string format_case(const Case& test);

// The folders of a connector's tests by name, none where it has none.
std::vector<std::string> case_folders(const std::string& connector_folder);

// Folders of run 1, 2, …: `answers`, `answers.2`, …
std::string run_folder(const std::string& case_folder, const std::string& kind, std::size_t run);

}  // namespace tarn::author
