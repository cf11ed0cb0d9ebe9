// Patches as `git diff-tree --stdin -p` prints them, read line by line.
//
// Lines of a hunk are counted, not guessed: content that looks like a header is content. Paths come as git has them, any bytes.
// Thread rule: one user.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "git/parse.h"

namespace tarn::git {

struct Hunk {
    std::int32_t old_start = 0, old_lines = 0, new_start = 0, new_lines = 0;
};

// Gets what a stream of patches holds, in its order.
class PatchTaker {
  public:
    virtual ~PatchTaker() = default;
    virtual void commit(std::string_view sha) = 0;
    virtual void file(const std::string& path) = 0;  // a changed type comes as two
    virtual void binary() = 0;                       // the file has no lines before or after
    virtual void hunk(const Hunk& hunk) = 0;
    virtual void line(char kind) = 0;  // ' ', '-' or '+'
};

class Patches {
  public:
    explicit Patches(PatchTaker& taker) : taker_(taker) {}
    void feed(std::string_view piece);

  private:
    void take(std::string_view line);
    PatchTaker& taker_;
    Records lines_{'\n'};
    Hunk left_;  // lines that the hunk still has
};

// A name as git quotes it: "caf\351.txt" in double quotes, or as it is.
std::string unquoted(std::string_view name);

}  // namespace tarn::git
