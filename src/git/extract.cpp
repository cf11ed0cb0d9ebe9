#include "git/extract.h"

#include <algorithm>
#include <future>
#include <memory>

#include <openssl/sha.h>

#include "base/text.h"

namespace tarn::git {
namespace {

std::string hash_of(const std::string& text) {
    std::string digest(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(digest.data()));
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (char c : digest) {
        out += digits[static_cast<unsigned char>(c) >> 4U];
        out += digits[static_cast<unsigned char>(c) & 15U];
    }
    return out;
}

std::string settings_of(const RowOptions& options) {
    std::string text = std::string(options.stat ? "s" : "-") + (options.files ? "f" : "-");
    for (const auto& end : options.excluded) text += "\n" + end;
    for (const auto& [name, regex] : options.components) text += "\n" + name + "\t" + regex;
    return hash_of(text);
}

// Of `list` those that are not in `others`, in the list's order.
std::vector<std::string> without(const std::vector<std::string>& list, std::vector<std::string> others) {
    std::ranges::sort(others);
    std::vector<std::string> out;
    std::ranges::copy_if(list, std::back_inserter(out),
                         [&](const std::string& sha) { return !std::ranges::binary_search(others, sha); });
    return out;
}

class Run {
  public:
    Run(const Extraction& wanted, DataFile& data, ControlStore& control, const Schema& schema)
        : wanted_(wanted),
          data_(data),
          control_(control),
          schema_(schema),
          settings_(settings_of(wanted.rows)) {}

    Result<Extracted> run() {
        TARN_ASSIGN(rows_, RepositoryRows::make(data_, control_, schema_, wanted_.rows));
        TARN_ASSIGN(repository_,
                    Repository::open(wanted_.folder, wanted_.rows.repo_id, wanted_.remote, wanted_.cancel));
        tell("Clone Git Repo", 0);
        TARN_ASSIGN(auto refs, repository_->fingerprint());
        fingerprint_ = hash_of(refs);
        TARN_TRY(read_state());
        Extracted out;
        bool same_commits = complete_ && known_settings_ && known_fingerprint_ == fingerprint_;
        bool same_lines = !wanted_.lines || lines_fingerprint_ == fingerprint_;
        if (same_commits && same_lines && !wanted_.full) {
            out.unchanged = true;
            return out;
        }
        auto done = read();
        // A copy that a crash has damaged is made anew, once.
        bool again =
            !done && done.error().kind == ErrorKind::transient && damaged_ && repository_->drop_copy();
        if (again) done = read();
        if (!done) return fail(done.error());
        TARN_TRY(limit_copies(wanted_.folder, wanted_.copies_limit));
        out.tables = rows_->counts();
        out.rejected = rows_->rejected();
        return out;
    }

  private:
    Result<> read() {
        damaged_ = false;
        TARN_TRY(repository_->fetch());
        damaged_ = true;
        std::vector<std::string> lost;
        if (wanted_.commits) TARN_TRY(read_commits(lost));
        tell("Collect Branches", 2);
        if (wanted_.branches || wanted_.tags) {
            TARN_ASSIGN(auto refs, repository_->refs());
            TARN_TRY(rows_->put_refs(refs, wanted_.branches, wanted_.tags));
        }
        TARN_TRY(rows_->take_out(lost));
        tell("Collect Tags", 3);
        bool all = wanted_.commits && wanted_.branches && wanted_.tags;
        if (all) TARN_TRY(write_state(true, fresh_));
        return wanted_.lines ? read_lines() : Result<>();
    }

    Result<> read_lines() {
        tell("Collect DiffLine", 4);
        TARN_ASSIGN(auto line, repository_->main_line());
        TARN_ASSIGN(auto done, rows_->commits_with_lines());
        std::vector<bool> wanted;
        std::size_t last = 0;
        for (const auto& sha : line) {
            wanted.push_back(wanted_.full || !std::ranges::binary_search(done, sha));
            if (!wanted.back()) last = wanted.size() - 1;
        }
        // A run that ended early may have left the last one in part.
        if (!line.empty()) wanted[last] = true;
        bool is_cut = !line.empty() && std::ranges::binary_search(repository_->edges(), line.front());
        auto base = line.empty() ? "" : line.back() + " " + base_of(line, is_cut);
        TARN_ASSIGN(auto scratch, repository_->scratch());
        LineHistory history(std::move(scratch), std::move(line), is_cut, wanted_.cancel);
        TARN_TRY(go_on(history, is_cut));
        TARN_TRY(history.read(wanted, [&](const LineChanges& changes) { return rows_->put_lines(changes); }));
        // What the table holds is not known until it is told again.
        TARN_TRY(write_lines_state(lines_fingerprint_, ""));
        TARN_ASSIGN(auto lines, rows_->put_snapshot(history));
        return write_lines_state(fingerprint_, base.empty() ? "" : base + " " + std::to_string(lines));
    }

    // What makes a branch's lines up to a commit the same, besides the commit.
    static std::string base_of(const std::vector<std::string>& line, bool is_cut) {
        return line.front() + (is_cut ? " cut" : " whole");
    }

    // Where the branch has grown alone, its lines are known up to where it ended.
    Result<> go_on(LineHistory& history, bool is_cut) {
        const auto& line = history.commits();
        auto base = split(lines_base_, ' ');
        constexpr std::size_t parts = 4;
        if (wanted_.full || line.empty() || base.size() != parts) return {};
        auto head = std::ranges::find(line, base[0]);
        if (head == line.end() || base[1] + " " + base[2] != base_of(line, is_cut)) return {};
        TARN_ASSIGN(auto files, repository_->files(base[0]));
        TARN_ASSIGN(auto owners,
                    rows_->stored_owners(line, files, std::strtoll(base[3].c_str(), nullptr, 10)));
        if (owners) history.go_on(static_cast<std::size_t>(head - line.begin()) + 1, std::move(*owners));
        return {};
    }

    Result<> write_lines_state(const std::string& fingerprint, const std::string& base) {
        lines_fingerprint_ = fingerprint;
        lines_base_ = base;
        return control_.transaction([&]() -> Result<> {
            TARN_TRY(
                control_.run("insert into _tarn_git_states (repo_id, complete, fresh) values (?, 0, 0) on "
                             "conflict (repo_id) do nothing",
                             {wanted_.rows.repo_id}));
            TARN_TRY(control_.run(
                "update _tarn_git_states set lines_fingerprint = ?, lines_base = ? where repo_id = ?",
                {lines_fingerprint_, lines_base_, wanted_.rows.repo_id}));
            return {};
        });
    }

    Result<> read_commits(std::vector<std::string>& lost) {
        tell("Collect Commits", 1);
        TARN_ASSIGN(auto all, repository_->commits());
        TARN_ASSIGN(auto stored, rows_->stored_commits());
        lost = without(stored, all);
        // What stands there was written with these settings, unless an old instance left it.
        bool goes_on = !wanted_.full && known_settings_ && (complete_ || fresh_);
        if (!goes_on) {
            fresh_ = stored.empty();
            TARN_TRY(write_state(false, fresh_));
            TARN_TRY(rows_->forget_rejects());
        }
        return read_history(goes_on ? without(all, std::move(stored)) : std::move(all));
    }

    // The next window is read while the last one is written.
    Result<> read_history(std::vector<std::string> shas) {
        if (shas.empty()) return {};
        HistoryOptions options;
        options.git_dir = repository_->git_dir();
        TARN_ASSIGN(options.scratch, repository_->scratch());
        options.files = wanted_.rows.stat;
        options.cancel = wanted_.cancel;
        History history(std::move(options), std::move(shas));
        std::future<Result<>> writing;
        auto finish = [&]() -> Result<> { return writing.valid() ? writing.get() : Result<>(); };
        while (true) {
            auto window = history.next();
            TARN_TRY(finish());
            if (!window) return fail(window.error());
            if (window->commits.empty()) return {};
            if (wanted_.cancel.cancelled()) return fail(ErrorKind::cancelled, "cancelled");
            tell("Collect Commits", 1, static_cast<std::int64_t>(history.done()));
            auto shared = std::make_shared<Window>(std::move(*window));
            writing = std::async(std::launch::async, [this, shared] { return rows_->put(*shared); });
        }
    }

    Result<> read_state() {
        TARN_ASSIGN(auto state, control_.query("select fingerprint, settings, complete, fresh, "
                                               "lines_fingerprint, lines_base from _tarn_git_states where "
                                               "repo_id = ?",
                                               {wanted_.rows.repo_id}));
        if (state.rows.empty()) return {};
        known_fingerprint_ = state.text(0, "fingerprint");
        known_settings_ = state.text(0, "settings") == settings_;
        complete_ = state.number(0, "complete") != 0;
        fresh_ = state.number(0, "fresh") != 0;
        lines_fingerprint_ = state.text(0, "lines_fingerprint");
        lines_base_ = state.text(0, "lines_base");
        return {};
    }

    Result<> write_state(bool complete, bool fresh) {
        complete_ = complete;
        known_settings_ = true;
        return control_.transaction([&]() -> Result<> {
            TARN_TRY(control_.run("delete from _tarn_git_states where repo_id = ?", {wanted_.rows.repo_id}));
            TARN_TRY(control_.run(
                "insert into _tarn_git_states (repo_id, fingerprint, settings, complete, fresh, "
                "lines_fingerprint, lines_base, updated_at) values (?, ?, ?, ?, ?, ?, ?, ?)",
                {wanted_.rows.repo_id, fingerprint_, settings_, std::int64_t{complete}, std::int64_t{fresh},
                 lines_fingerprint_, lines_base_, format_sql(now_millis())}));
            return {};
        });
    }

    void tell(const std::string& subtask, std::size_t step, std::int64_t commits = 0) const {
        if (wanted_.progress) wanted_.progress(subtask, step, commits);
    }

    const Extraction& wanted_;
    DataFile& data_;
    ControlStore& control_;
    const Schema& schema_;
    std::string settings_, fingerprint_, known_fingerprint_, lines_fingerprint_, lines_base_;
    bool known_settings_ = false, complete_ = false, damaged_ = false;
    bool fresh_ = false;  // the repository had no commits before we read it
    std::unique_ptr<RepositoryRows> rows_;
    std::unique_ptr<Repository> repository_;
};

}  // namespace

Result<Extracted> extract(const Extraction& wanted, DataFile& data, ControlStore& control,
                          const Schema& schema) {
    Run run(wanted, data, control, schema);
    return run.run();
}

}  // namespace tarn::git
