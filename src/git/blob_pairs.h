// The contents of pairs of blobs, read from git in one stream.
//
// Neighbours share what they have in common: a blob that one of the next few pairs needs again is kept, and asked for once.
// Errors: cancelled; those of run_git. Pairs of which a blob is missing or damaged are left out.
// Thread rule: any thread. Memory: up to some 16 blobs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "git/process.h"

namespace tarn::git {

struct BlobPair {
    std::string before, after;  // ids; empty: there is none
};

struct Content {
    std::string bytes;
    bool is_whole = true;  // else above 8 MB, and this is the begin
    // As git sees it, which looks at the begin.
    [[nodiscard]] bool is_binary() const;
};

// Gets a pair's place and its contents, in the order of the pairs.
using TakePair = std::function<void(std::size_t, const Content&, const Content&)>;

// `git`: where the blobs are.
Result<> read_pairs(Command git, const std::vector<BlobPair>& pairs, const TakePair& take);

}  // namespace tarn::git
