#include "git/lines.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "git/patch.h"
#include "git/process.h"

namespace tarn::git {
namespace {

constexpr std::size_t lines_at_once = 200'000;

}  // namespace

class LineHistory::Walk final : public PatchTaker {
  public:
    Walk(LineHistory& history, const std::vector<bool>& wanted, const Put& put)
        : owners_(history.owners_),
          wanted_(wanted),
          put_(put),
          is_cut_(history.is_cut_),
          changes_{history.commits_, {}, {}},
          next_(history.first_) {}

    void commit(std::string_view sha) override {
        end_file();
        while (next_ < changes_.commits.size() && changes_.commits[next_] != sha) ++next_;
        commit_ = static_cast<std::uint32_t>(next_++);
        bool is_edge = is_cut_ && commit_ == 0;
        puts_ = !is_edge && commit_ < wanted_.size() && wanted_[commit_];
        if (changes_.lines.size() >= lines_at_once) flush();
    }

    void file(const std::string& path) override {
        end_file();
        auto [place, is_new] = numbers_.emplace(path, static_cast<std::uint32_t>(changes_.paths.size()));
        if (is_new) changes_.paths.push_back(path);
        path_ = place->second;
        before_ = std::move(owners_[path]);
        after_.clear();
        read_ = 0;
        hunk_ = 0;
        open_ = true;
    }

    void binary() override {
        before_.clear();
        read_ = 0;
    }

    void hunk(const Hunk& hunk) override {
        ++hunk_;
        // A hunk that only adds names the line before it.
        auto start = static_cast<std::size_t>(hunk.old_lines == 0 ? hunk.old_start : hunk.old_start - 1);
        copy_until(start);
        line_new_ = hunk.new_lines == 0 ? hunk.new_start + 1 : hunk.new_start;
    }

    void line(char kind) override {
        auto owner = read_ < before_.size() ? before_[read_] : LineChange::nobody;
        LineChange change{commit_, path_, LineChange::nobody, -1, -1, hunk_};
        if (kind == '+') {
            after_.push_back(commit_);
            change.line_new = line_new_++;
        } else {
            change.line_old = static_cast<std::int32_t>(++read_);
            change.previous = owner;
        }
        if (kind == ' ') {
            after_.push_back(owner);
            ++line_new_;
        } else if (puts_) {
            changes_.lines.push_back(change);
        }
    }

    Result<> finish() {
        end_file();
        if (outcome_) flush();
        return outcome_;
    }
    [[nodiscard]] bool good() const { return outcome_.has_value(); }

  private:
    void copy_until(std::size_t end) {
        for (; read_ < end; ++read_)
            after_.push_back(read_ < before_.size() ? before_[read_] : LineChange::nobody);
    }

    void end_file() {
        if (!open_) return;
        open_ = false;
        copy_until(before_.size());
        const auto& path = changes_.paths[path_];
        if (after_.empty()) {
            owners_.erase(path);
        } else {
            after_.shrink_to_fit();
            owners_[path] = std::move(after_);
        }
        after_ = {};
    }

    void flush() {
        if (!outcome_ || changes_.lines.empty()) return;
        outcome_ = put_(changes_);
        changes_.lines.clear();
        changes_.paths.clear();
        numbers_.clear();
    }

    Owners& owners_;
    const std::vector<bool>& wanted_;
    const Put& put_;
    bool is_cut_;
    LineChanges changes_;
    std::unordered_map<std::string, std::uint32_t> numbers_;
    Result<> outcome_;
    std::size_t next_, read_ = 0;  // commit to come; lines of `before_` that are done
    std::uint32_t commit_ = 0, path_ = 0;
    std::int32_t hunk_ = 0, line_new_ = 0;
    bool puts_ = false, open_ = false;
    std::vector<std::uint32_t> before_, after_;
};

LineHistory::LineHistory(std::string scratch, std::vector<std::string> commits, bool is_cut,
                         CancelToken cancel)
    : scratch_(std::move(scratch)),
      commits_(std::move(commits)),
      is_cut_(is_cut),
      cancel_(std::move(cancel)) {}

void LineHistory::go_on(std::size_t first, Owners owners) {
    first_ = first;
    owners_ = std::move(owners);
}

Result<> LineHistory::read(const std::vector<bool>& wanted, const Put& put) {
    Command diff;
    diff.arguments = {"diff-tree", "--stdin", "--root", "-p", "--no-renames"};
    diff.environment = {{"GIT_DIR", scratch_}};
    diff.cancel = cancel_;
    for (auto i = first_; i < commits_.size(); ++i)
        diff.input += commits_[i] + (i == 0 ? "" : " " + commits_[i - 1]) + "\n";
    if (diff.input.empty()) return {};
    Walk walk(*this, wanted, put);
    Patches patches(walk);
    TARN_ASSIGN(auto finished, run_git(diff, [&](std::string_view piece) {
                    patches.feed(piece);
                    return walk.good();
                }));
    if (walk.good() && !finished.good())
        return fail(ErrorKind::transient,
                    "lines cannot be read: " + std::string(trimmed(valid_utf8(finished.errors))), "git",
                    "`git fsck` in the repository tells what is damaged.");
    return walk.finish();
}

}  // namespace tarn::git
