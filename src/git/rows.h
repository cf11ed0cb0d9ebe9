// The domain rows of a repository: each window of its history in one transaction.
//
// Provenance: table `gitextractor`, params the repository's id. Keys are over the whole tables: a commit of two repositories is one row, and
// that row is written again only where something but its provenance differs. Commits that no branch or tag leads to any more leave
// repo_commits; commits and their files stay, since other repositories may have them.
// Errors: those of the stores. Thread rule: one user.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "git/history.h"
#include "git/lines.h"
#include "git/repository.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/schema.h"

namespace tarn::git {

struct RowCounts {
    std::int64_t added = 0, changed = 0, deleted = 0;
};

struct RowOptions {
    std::string repo_id;
    bool stat = true;                                             // additions and deletions of commits
    bool files = true;                                            // commit_files
    std::vector<std::string> excluded;                            // ends of file names, in small letters
    std::vector<std::pair<std::string, std::string>> components;  // name, regex of its paths
};

class RepositoryRows {
  public:
    // bad_data: a component's regex.
    static Result<std::unique_ptr<RepositoryRows>> make(DataFile& data, ControlStore& control,
                                                        const Schema& schema, RowOptions options);

    Result<std::vector<std::string>> stored_commits();
    Result<> put(const Window& window);
    Result<> take_out(const std::vector<std::string>& commits);
    // Of branches, of tags or of both these are all.
    Result<> put_refs(const std::vector<Ref>& refs, bool branches, bool tags);
    // Commits that have rows of changed lines, of any repository, sorted.
    Result<std::vector<std::string>> commits_with_lines();
    Result<> put_lines(const LineChanges& changes);
    // The branch's lines are all of this repository's. Value: how many they are.
    Result<std::int64_t> put_snapshot(const LineHistory& history);
    // What put_snapshot() stored. `commits`: the branch, `paths`: its files then. nullopt where the rows are not `lines`, or do not tell.
    Result<std::optional<LineHistory::Owners>> stored_owners(const std::vector<std::string>& commits,
                                                             const std::vector<std::string>& paths,
                                                             std::int64_t lines);
    // Forgets what earlier readings could not read.
    Result<> forget_rejects();

    [[nodiscard]] const std::map<std::string, RowCounts>& counts() const { return counts_; }
    [[nodiscard]] std::int64_t rejected() const { return rejected_; }

  private:
    RepositoryRows(DataFile& data, ControlStore& control, const Schema& schema, RowOptions options)
        : data_(data), control_(control), schema_(schema), options_(std::move(options)) {}
    Result<> write(const std::function<Result<>(duck::Connection&, Millis)>& job);
    Result<> limit_memory(std::size_t rows);
    Result<> put_commits(duck::Connection& connection, const Window& window, Millis stamp);
    Result<> put_parents(duck::Connection& connection, const Window& window, Millis stamp);
    Result<> put_files(duck::Connection& connection, const Window& window, Millis stamp);
    Result<> put_components(duck::Connection& connection, const Window& window, Millis stamp);
    Result<> put_accounts(duck::Connection& connection, const Window& window, Millis stamp);
    Result<> put_aside(duck::Connection& connection, const Window& window, Millis stamp);
    Result<> put_reason(duck::Connection& connection, const std::string& path, const std::string& reason,
                        Millis stamp);
    [[nodiscard]] bool is_excluded(const std::string& path) const;
    [[nodiscard]] std::string component_of(const std::string& path) const;

    DataFile& data_;
    ControlStore& control_;
    const Schema& schema_;
    RowOptions options_;
    std::vector<std::pair<std::string, std::unique_ptr<re2::RE2>>> components_;
    std::map<std::string, RowCounts> counts_;
    std::int64_t rejected_ = 0;
    std::size_t unsettled_ = 0;  // rows since the last check-point
};

// SHA-256 of a path's bytes, in hexadecimal digits.
std::string path_hash(const std::string& path);

}  // namespace tarn::git
