// A history, window by window: commits with their changed files and line counts, compared with the first parent, renames as a deletion and
// an addition. A window is bounded in commits and changes, and so is the memory.
// Errors: cancelled; transient with git's words where a commit cannot be read. A damaged tree or blob leaves its commit or file without counts.
// Thread rule: one user.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "git/counts.h"
#include "git/parse.h"

namespace tarn::git {

struct FileChange {
    std::uint32_t commit = 0, path = 0;  // places in the window
    PairCounts::Id pair = 0;
    std::optional<LineCounts> lines;
};

struct Window {
    std::vector<Commit> commits;
    std::vector<FileChange> files;   // by commit
    std::vector<std::string> paths;  // as git has them, each once
    std::vector<bool> unreadable;    // by commit: its tree or its parent's
};

struct HistoryOptions {
    std::string git_dir;
    std::string scratch;  // for the made-up trees; borrows the objects of git_dir
    bool files = true;    // what changed; else commits alone
    bool counts = true;   // and how many lines
    CancelToken cancel;
};

class History {
  public:
    // `shas`: the commits to read, in this order.
    History(HistoryOptions options, std::vector<std::string> shas);
    // The next commits, fewer than asked for where they change much; none at the end.
    Result<Window> next();
    [[nodiscard]] std::size_t done() const { return at_; }

  private:
    static constexpr std::size_t window_commits = 4000;
    Result<> read_commits(Window& window);
    Result<> read_changes(Window& window);
    Result<std::size_t> read_changes_from(Window& window, std::size_t first);

    HistoryOptions options_;
    std::vector<std::string> shas_;
    std::size_t at_ = 0, ask_ = window_commits;
    PairCounts pairs_;
};

}  // namespace tarn::git
