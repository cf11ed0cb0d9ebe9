// Runs a connector's own tests: recorded answers in, expected rows out.
// Thread rule: one user at a time.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "run/platform.h"

namespace tarn::author {

struct TestOutcome {
    std::vector<std::string> differences;  // empty: passed
    std::vector<std::string> written;      // files, with `accept`
    std::size_t requests = 0, tables = 0, rows = 0;
};

// `accept`: the rows that are found become the expected ones. Errors: bad_data where the test's own files are wrong.
Result<TestOutcome> run_own_test(const run::Platform& platform, const std::string& case_folder, bool accept);

}  // namespace tarn::author
