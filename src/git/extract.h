// Reads one repository into the domain tables: commits, commit_parents, commit_files, repo_commits, refs, accounts; on request
// commit_line_change and repo_snapshot.
//
// Each window of the history is committed for itself, so a run that ends early goes on where it stood; refs and the state come last. A later
// run reads new commits alone, and with the same branches, tags and settings it asks the source once and writes nothing.
// Errors: those of the repository and the stores; bad_data (options). Thread rule: any thread; one run a repository at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/cancel.h"
#include "git/repository.h"
#include "git/rows.h"

namespace tarn::git {

struct Extraction {
    std::string folder;                                  // of kept copies
    std::int64_t copies_limit = std::int64_t{10} << 30;  // bytes
    RemoteOptions remote;
    RowOptions rows;
    bool commits = true, branches = true, tags = true;
    bool lines = false;  // which lines the default branch's commits changed, and whose its lines are
    bool full = false;   // everything anew
    CancelToken cancel;
    std::function<void(const std::string& subtask, std::size_t step, std::int64_t commits)> progress;
};

struct Extracted {
    std::map<std::string, RowCounts> tables;
    std::int64_t rejected = 0;
    bool unchanged = false;
};

constexpr std::size_t extraction_steps = 5;

Result<Extracted> extract(const Extraction& wanted, DataFile& data, ControlStore& control,
                          const Schema& schema);

}  // namespace tarn::git
