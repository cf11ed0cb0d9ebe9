// Which lines each commit of a branch added and deleted, and whose the lines are that stand there now: what `git blame --first-parent
// --no-follow` says of every file, found in one walk of the branch, or of what it has grown by.
//
// Each commit is compared with its first parent, renames as a deletion and an addition, hunks with three lines around them. A binary file
// has no lines. The first commit of a shallow history owns what stood there and changes nothing. Memory: four bytes a line of the branch.
// Errors: cancelled; transient with git's words where an object cannot be read; those of `put`. Thread rule: one user.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"

namespace tarn::git {

struct LineChange {
    static constexpr std::uint32_t nobody = 0xffffffff;
    std::uint32_t commit = 0, path = 0;         // places in `commits` and `paths`
    std::uint32_t previous = nobody;            // of a deleted line: who had written it
    std::int32_t line_old = -1, line_new = -1;  // from 1; -1 where it does not stand
    std::int32_t hunk = 0;                      // of the file, from 1
};

struct LineChanges {
    const std::vector<std::string>& commits;
    std::vector<std::string> paths;  // as git has them
    std::vector<LineChange> lines;
};

class LineHistory {
  public:
    using Put = std::function<Result<>(const LineChanges&)>;
    using Owners = std::map<std::string, std::vector<std::uint32_t>>;  // path -> commit of each line

    // `commits`: the branch, oldest first, each the first parent of the next. `scratch` borrows their objects. `is_cut`: the history is shallow.
    LineHistory(std::string scratch, std::vector<std::string> commits, bool is_cut, CancelToken cancel);
    // The walk begins at `first`; `owners`: the lines of the commit before it.
    void go_on(std::size_t first, Owners owners);
    // Walks the branch. `wanted`, by commit: whose changes are put.
    Result<> read(const std::vector<bool>& wanted, const Put& put);
    // Behind read(): the lines of the last commit.
    [[nodiscard]] const Owners& owners() const { return owners_; }
    [[nodiscard]] const std::vector<std::string>& commits() const { return commits_; }

  private:
    class Walk;
    std::string scratch_;
    std::vector<std::string> commits_;
    bool is_cut_;
    CancelToken cancel_;
    std::size_t first_ = 0;
    Owners owners_;
};

}  // namespace tarn::git
