// git as a child process.
//
// The child sees none of the user's or the machine's configuration, asks nobody, and is killed, with what it started, when the call ends
// early, is cancelled (within a second), or this process dies. Secrets go by `environment` alone: arguments can be seen by everybody.
// Errors: cancelled; terminal where git cannot be started; bug where a pipe breaks. A git that fails is no error here: see Finished.
// Thread rule: any thread; the calling thread waits.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"

namespace tarn::git {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Command {
    std::vector<std::string> arguments;  // behind `git`
    Pairs environment;
    Pairs config;       // settings of git for this call
    std::string input;  // stdin
    CancelToken cancel;
};

struct Finished {
    int status = 0;      // as a shell tells it: 128 + n where signal n ended it
    bool ended = false;  // `output` wanted no more
    std::string errors;  // the end of stderr
    [[nodiscard]] bool good() const { return status == 0 || ended; }
};

// `output` gets stdout piece by piece and says whether it wants more.
Result<Finished> run_git(const Command& command, const std::function<bool(std::string_view)>& output);

// The whole stdout; transient with git's words where it fails.
Result<std::string> ask_git(const Command& command);

}  // namespace tarn::git
