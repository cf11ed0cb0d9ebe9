// What git's plumbing prints, read: commit objects, raw and counted differences, refs.
//
// All bytes are accepted. Texts come out as UTF-8 without NUL; paths and names keep git's bytes where it is said.
// Thread rule: pure functions; a parser object has one user.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace tarn::git {

struct Person {
    std::string name, email;
    std::optional<Millis> when;
};

struct Commit {
    std::string sha, message;
    std::vector<std::string> parents;
    Person author, committer;
};

// A commit object's bytes. Without an `encoding` that iconv knows the bytes are UTF-8, and what is not becomes U+FFFD.
Commit parse_commit(std::string sha, std::string_view bytes);

// UTF-8 without NUL, at most `most` characters (0: any number).
std::string clean(std::string_view bytes, std::size_t most = 0);

// Cuts a stream into records that end with a byte; what is left of the last one waits for the next piece.
class Records {
  public:
    explicit Records(char end) : end_(end) {}
    // False as soon as `record` says so.
    bool feed(std::string_view piece, const std::function<bool(std::string_view)>& record);

  private:
    char end_;
    std::string rest_;
};

// Objects of `git cat-file --batch`.
class Objects {
  public:
    using Take = std::function<void(std::string sha, std::string_view type, std::string_view bytes)>;
    static constexpr std::size_t begin_bytes = 8000;
    // Of objects of more than `most` bytes, which is no less than begin_bytes, the begin comes, as type "large".
    explicit Objects(std::size_t most = SIZE_MAX) : most_(most) {}
    // What git does not have comes as type "missing".
    void feed(std::string_view piece, const Take& take);

  private:
    std::size_t most_, skip_ = 0;
    std::string rest_;
};

// One line of `diff-tree --raw -z`, without its path: both sides as git prints them ("000000": not there).
struct RawChange {
    std::string_view old_mode, new_mode, old_sha, new_sha;
};
std::optional<RawChange> parse_raw(std::string_view record);

// A record of `diff-tree --numstat -z`: "3\t0\tname"; counts of binary files are 0.
struct Numstat {
    std::int64_t additions = 0, deletions = 0;
    std::string_view name;
};
std::optional<Numstat> parse_numstat(std::string_view record);

}  // namespace tarn::git
