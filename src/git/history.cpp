#include "git/history.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"

namespace tarn::git {
namespace {

constexpr std::size_t window_changes = 15'000;

Command in(const std::string& git_dir, std::vector<std::string> arguments, const CancelToken& cancel) {
    Command command;
    command.arguments = std::move(arguments);
    command.environment = {{"GIT_DIR", git_dir}};
    command.cancel = cancel;
    return command;
}

// Takes the records of one `diff-tree --stdin --raw --always -z`: a commit's id, then ":modes shas", path, ...
class Changes {
  public:
    Changes(Window& window, PairCounts& pairs, std::size_t first)
        : window_(window), pairs_(pairs), next_(first) {
        for (std::size_t i = 0; i < window.paths.size(); ++i)
            paths_.emplace(window.paths[i], static_cast<std::uint32_t>(i));
    }

    // False before the commit that would make the window too large.
    bool take(std::string_view record) {
        if (pending_) {
            add(record);
            return true;
        }
        if (auto change = parse_raw(record)) {
            kept_ = std::string(record);
            pending_ = true;
            return true;
        }
        if (window_.files.size() >= window_changes) return false;
        // One that git left out could not be read.
        while (next_ < window_.commits.size() && window_.commits[next_].sha != record)
            window_.unreadable[next_++] = true;
        ++next_;
        return true;
    }

    // Commits that were begun; the last one may be in part.
    [[nodiscard]] std::size_t next() const { return next_; }

  private:
    void add(std::string_view path) {
        pending_ = false;
        auto [place, is_new] =
            paths_.emplace(std::string(path), static_cast<std::uint32_t>(window_.paths.size()));
        if (is_new) window_.paths.push_back(place->first);
        auto commit = static_cast<std::uint32_t>(next_ - 1);
        // A tree with one name twice is damage that git itself lets pass.
        auto& files = window_.files;
        if (!files.empty() && files.back().commit == commit && files.back().path == place->second) return;
        files.push_back({commit, place->second, pairs_.id_of(*parse_raw(kept_), place->second), {}});
    }

    Window& window_;
    PairCounts& pairs_;
    std::size_t next_;
    std::unordered_map<std::string, std::uint32_t> paths_;
    std::string kept_;
    bool pending_ = false;
};

}  // namespace

History::History(HistoryOptions options, std::vector<std::string> shas)
    : options_(std::move(options)), shas_(std::move(shas)), pairs_(options_.scratch, options_.cancel) {}

Result<Window> History::next() {
    Window window;
    if (at_ == shas_.size()) return window;
    pairs_.forget_if_many();
    TARN_TRY(read_commits(window));
    window.unreadable.resize(window.commits.size(), false);
    if (options_.files) TARN_TRY(read_changes(window));
    if (options_.files && options_.counts) {
        TARN_TRY(pairs_.count(window.paths));
        for (auto& file : window.files) file.lines = pairs_.counts(file.pair);
    }
    at_ += window.commits.size();
    // Large commits: what will not fit is not read ahead.
    ask_ = std::clamp(window.commits.size() * 2, window_commits / 20, window_commits);
    return window;
}

Result<> History::read_commits(Window& window) {
    auto read = in(options_.git_dir, {"cat-file", "--batch"}, options_.cancel);
    auto end = std::min(at_ + ask_, shas_.size());
    for (auto i = at_; i < end; ++i) read.input += shas_[i] + "\n";
    Objects objects;
    std::string missing;
    TARN_ASSIGN(auto finished, run_git(read, [&](std::string_view piece) {
                    objects.feed(piece, [&](std::string sha, std::string_view type, std::string_view bytes) {
                        if (type == "commit") {
                            window.commits.push_back(parse_commit(std::move(sha), bytes));
                        } else {
                            missing = std::move(sha);
                        }
                    });
                    return true;
                }));
    if (finished.good() && window.commits.size() == end - at_) return {};
    auto reason =
        missing.empty() ? std::string(trimmed(valid_utf8(finished.errors))) : missing + " is missing";
    return fail(ErrorKind::transient, "a commit cannot be read: " + reason, "git");
}

Result<> History::read_changes(Window& window) {
    for (std::size_t first = 0; first < window.commits.size();) {
        TARN_ASSIGN(first, read_changes_from(window, first));
    }
    return {};
}

// Value: where to go on. A commit at which git gives up is marked.
Result<std::size_t> History::read_changes_from(Window& window, std::size_t first) {
    auto diff =
        in(options_.scratch,
           {"diff-tree", "--stdin", "--root", "--raw", "--always", "-r", "-z", "--no-renames", "--no-abbrev"},
           options_.cancel);
    for (auto i = first; i < window.commits.size(); ++i) {
        const auto& commit = window.commits[i];
        diff.input += commit.sha + (commit.parents.empty() ? "" : " " + commit.parents[0]) + "\n";
    }
    Changes changes(window, pairs_, first);
    Records records('\0');
    TARN_ASSIGN(auto finished, run_git(diff, [&](std::string_view piece) {
                    return records.feed(piece, [&](std::string_view record) { return changes.take(record); });
                }));
    if (finished.ended) {
        window.commits.resize(changes.next());
        window.unreadable.resize(changes.next());
        return changes.next();
    }
    if (changes.next() >= window.commits.size()) return window.commits.size();
    window.unreadable[changes.next()] = true;
    return changes.next() + 1;
}

}  // namespace tarn::git
