#include "git/rows.h"

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>
#include <openssl/sha.h>

#include "base/text.h"
#include "git/bulk.h"

namespace tarn::git {
namespace {

constexpr std::size_t key_length = 255;

// DevLake's id of a file behind its commit's.
std::string file_key(const std::string& path) { return ":" + path_hash(path); }

void put_time(duck::Appender& rows, const std::optional<Millis>& time) {
    time ? rows.time(*time) : rows.null();
}

void put_person(duck::Appender& rows, const Person& person) {
    rows.text(person.name);
    rows.text(person.email);
    put_time(rows, person.when);
    rows.text(person.email);
}

// Merges, counts, and drops the bulk.
Result<> settle(Bulk& bulk, Millis stamp, RowCounts& counts) {
    TARN_TRY(bulk.merge(stamp));
    counts.added += bulk.added();
    counts.changed += bulk.changed();
    return bulk.close();
}

}  // namespace

std::string path_hash(const std::string& path) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(path.data()), path.size(), digest.data());
    std::string out;
    out.reserve(2 * digest.size());
    for (auto byte : digest) {
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
    return out;
}

Result<std::unique_ptr<RepositoryRows>> RepositoryRows::make(DataFile& data, ControlStore& control,
                                                             const Schema& schema, RowOptions options) {
    std::unique_ptr<RepositoryRows> out(new RepositoryRows(data, control, schema, std::move(options)));
    re2::RE2::Options quiet;
    quiet.set_log_errors(false);
    for (const auto& [name, regex] : out->options_.components) {
        auto compiled = std::make_unique<re2::RE2>(regex, quiet);
        if (!compiled->ok())
            return fail(ErrorKind::bad_data, compiled->error(), "component " + name,
                        "Correct its path_regex.");
        out->components_.emplace_back(name, std::move(compiled));
    }
    return out;
}

Result<> RepositoryRows::write(const std::function<Result<>(duck::Connection&, Millis)>& job) {
    return data_.write([&](duck::Connection& connection) -> Result<> {
        TARN_ASSIGN(auto stamp, control_.next_stamp());
        return job(connection, stamp);
    });
}

Result<std::vector<std::string>> RepositoryRows::stored_commits() {
    TARN_ASSIGN(auto reader, data_.reader());
    std::vector<std::string> out;
    TARN_TRY(
        reader->each("select commit_sha from main.repo_commits where repo_id = " + sql_text(options_.repo_id),
                     [&](const std::vector<duck::Text>& row) { out.push_back(row[0].value_or("")); }));
    return out;
}

Result<> RepositoryRows::put(const Window& window) {
    TARN_TRY(write([&](duck::Connection& connection, Millis stamp) -> Result<> {
        TARN_TRY(put_commits(connection, window, stamp));
        TARN_TRY(put_parents(connection, window, stamp));
        TARN_TRY(put_accounts(connection, window, stamp));
        if (options_.files) TARN_TRY(put_files(connection, window, stamp));
        if (options_.files && !components_.empty()) TARN_TRY(put_components(connection, window, stamp));
        return put_aside(connection, window, stamp);
    }));
    return limit_memory(window.commits.size() + window.files.size());
}

// The data file holds what was written in memory until its next check-point, which its log alone would bring late.
Result<> RepositoryRows::limit_memory(std::size_t rows) {
    constexpr std::size_t most = 30'000;
    unsettled_ += rows;
    if (unsettled_ < most) return {};
    unsettled_ = 0;
    return data_.exclusive([](duck::Connection& connection) -> Result<> {
        // Others' reading may be in its way; the next one comes.
        static_cast<void>(connection.run("checkpoint"));
        return {};
    });
}

Result<> RepositoryRows::put_commits(duck::Connection& connection, const Window& window, Millis stamp) {
    std::vector<LineCounts> sums(window.commits.size());
    for (const auto& file : window.files) {
        if (!file.lines || is_excluded(window.paths[file.path])) continue;
        sums[file.commit].additions += file.lines->additions;
        sums[file.commit].deletions += file.lines->deletions;
    }
    TARN_ASSIGN(auto commits, Bulk::open(connection, *schema_.table("commits"),
                                         {"sha", "additions", "deletions", "dev_eq", "message", "author_name",
                                          "author_email", "authored_date", "author_id", "committer_name",
                                          "committer_email", "committed_date", "committer_id"},
                                         options_.repo_id));
    auto& rows = commits->rows();
    for (std::size_t i = 0; i < window.commits.size(); ++i) {
        const auto& commit = window.commits[i];
        rows.text(commit.sha);
        rows.number(sums[i].additions);
        rows.number(sums[i].deletions);
        rows.number(0);
        rows.text(commit.message);
        put_person(rows, commit.author);
        put_person(rows, commit.committer);
        TARN_TRY(rows.end_row());
    }
    TARN_TRY(settle(*commits, stamp, counts_["commits"]));
    TARN_ASSIGN(auto own, Bulk::open(connection, *schema_.table("repo_commits"), {"repo_id", "commit_sha"},
                                     options_.repo_id));
    for (const auto& commit : window.commits) {
        own->rows().text(options_.repo_id);
        own->rows().text(commit.sha);
        TARN_TRY(own->rows().end_row());
    }
    return settle(*own, stamp, counts_["repo_commits"]);
}

Result<> RepositoryRows::put_parents(duck::Connection& connection, const Window& window, Millis stamp) {
    TARN_ASSIGN(auto parents, Bulk::open(connection, *schema_.table("commit_parents"),
                                         {"commit_sha", "parent_commit_sha"}, options_.repo_id));
    for (const auto& commit : window.commits) {
        auto unique = commit.parents;
        std::ranges::sort(unique);
        auto doubled = std::ranges::unique(unique);
        unique.erase(doubled.begin(), doubled.end());
        for (const auto& parent : unique) {
            parents->rows().text(commit.sha);
            parents->rows().text(parent);
            TARN_TRY(parents->rows().end_row());
        }
    }
    return settle(*parents, stamp, counts_["commit_parents"]);
}

Result<> RepositoryRows::put_files(duck::Connection& connection, const Window& window, Millis stamp) {
    std::vector<std::string> keys, paths;
    for (const auto& path : window.paths) {
        keys.push_back(file_key(path));
        paths.push_back(clean(path));
    }
    TARN_ASSIGN(auto files,
                Bulk::open(connection, *schema_.table("commit_files"),
                           {"id", "commit_sha", "file_path", "additions", "deletions"}, options_.repo_id));
    auto& rows = files->rows();
    for (const auto& file : window.files) {
        if (is_excluded(window.paths[file.path])) continue;
        const auto& sha = window.commits[file.commit].sha;
        rows.text(sha + keys[file.path]);
        rows.text(sha);
        rows.text(paths[file.path]);
        if (file.lines) {
            rows.number(file.lines->additions);
            rows.number(file.lines->deletions);
        } else {
            rows.null();
            rows.null();
        }
        TARN_TRY(rows.end_row());
    }
    return settle(*files, stamp, counts_["commit_files"]);
}

Result<> RepositoryRows::put_components(duck::Connection& connection, const Window& window, Millis stamp) {
    TARN_ASSIGN(auto parts, Bulk::open(connection, *schema_.table("commit_file_components"),
                                       {"commit_file_id", "component_name"}, options_.repo_id));
    std::vector<std::string> keys, names;
    for (const auto& path : window.paths) {
        keys.push_back(file_key(path));
        names.push_back(component_of(path));
    }
    for (const auto& file : window.files) {
        if (is_excluded(window.paths[file.path])) continue;
        parts->rows().text(window.commits[file.commit].sha + keys[file.path]);
        parts->rows().text(names[file.path]);
        TARN_TRY(parts->rows().end_row());
    }
    return settle(*parts, stamp, counts_["commit_file_components"]);
}

Result<> RepositoryRows::put_accounts(duck::Connection& connection, const Window& window, Millis stamp) {
    // Oldest first: the latest name counts.
    std::map<std::string, std::string> names;
    for (const auto& commit : window.commits) {
        if (!commit.author.email.empty()) names[commit.author.email] = commit.author.name;
    }
    TARN_ASSIGN(auto accounts, Bulk::open(connection, *schema_.table("accounts"),
                                          {"id", "email", "full_name", "user_name"}, options_.repo_id));
    for (const auto& [email, name] : names) {
        accounts->rows().text(email);
        accounts->rows().text(email);
        accounts->rows().text(name);
        accounts->rows().text(name);
        TARN_TRY(accounts->rows().end_row());
    }
    return settle(*accounts, stamp, counts_["accounts"]);
}

Result<> RepositoryRows::put_aside(duck::Connection& connection, const Window& window, Millis stamp) {
    std::vector<std::pair<std::string, std::string>> reasons;
    for (std::size_t i = 0; i < window.commits.size(); ++i) {
        if (window.unreadable[i])
            reasons.emplace_back(window.commits[i].sha, "its tree or its parent's cannot be read");
    }
    for (const auto& file : window.files) {
        if (options_.stat && !file.lines)
            reasons.emplace_back(
                window.commits[file.commit].sha + ":" + clean(window.paths[file.path], key_length - 41),
                "its content cannot be read: missing or damaged");
    }
    for (const auto& [path, reason] : reasons) TARN_TRY(put_reason(connection, path, reason, stamp));
    return {};
}

Result<> RepositoryRows::put_reason(duck::Connection& connection, const std::string& path,
                                    const std::string& reason, Millis stamp) {
    TARN_TRY(connection.run(fmt::format(
        "insert into main._tarn_rejects (raw_table, params, path, reason, created_at) values "
        "('gitextractor', {}, {}, {}, timestamp {})",
        sql_text(options_.repo_id), sql_text(path), sql_text(reason), sql_text(format_sql(stamp)))));
    ++rejected_;
    return {};
}

Result<> RepositoryRows::forget_rejects() {
    return write([&](duck::Connection& connection, Millis) -> Result<> {
        TARN_TRY(
            connection.run("delete from main._tarn_rejects where raw_table = 'gitextractor' and params = " +
                           sql_text(options_.repo_id)));
        return {};
    });
}

Result<> RepositoryRows::take_out(const std::vector<std::string>& commits) {
    if (commits.empty()) return {};
    const auto& table = *schema_.table("repo_commits");
    return write([&](duck::Connection& connection, Millis stamp) -> Result<> {
        TARN_TRY(connection.run("create or replace temp table tarn_git_lost (sha varchar)"));
        TARN_ASSIGN(auto lost, duck::Appender::open(connection, "tarn_git_lost"));
        for (const auto& sha : commits) {
            lost->text(sha);
            TARN_TRY(lost->end_row());
        }
        TARN_TRY(lost->close());
        TARN_ASSIGN(auto nothing, Bulk::open(connection, table, {"repo_id", "commit_sha"}, options_.repo_id));
        TARN_TRY(nothing->merge(stamp));
        TARN_ASSIGN(auto deleted,
                    nothing->delete_others("repo_id = " + sql_text(options_.repo_id) +
                                               " and commit_sha in (select sha from tarn_git_lost)",
                                           stamp));
        counts_["repo_commits"].deleted += deleted;
        TARN_TRY(nothing->close());
        TARN_TRY(connection.run("drop table tarn_git_lost"));
        return {};
    });
}

Result<> RepositoryRows::put_refs(const std::vector<Ref>& refs, bool branches, bool tags) {
    return write([&](duck::Connection& connection, Millis stamp) -> Result<> {
        TARN_ASSIGN(auto bulk, Bulk::open(connection, *schema_.table("refs"),
                                          {"id", "repo_id", "name", "commit_sha", "is_default", "ref_type",
                                           "created_date"},
                                          options_.repo_id));
        auto& rows = bulk->rows();
        for (const auto& ref : refs) {
            if (!(ref.is_branch ? branches : tags)) continue;
            rows.text(options_.repo_id + ":" + clean(ref.name));
            rows.text(options_.repo_id);
            rows.text(clean(ref.name, key_length));
            rows.text(ref.sha);
            rows.number(ref.is_default ? 1 : 0);
            rows.text(ref.is_branch ? "BRANCH" : "TAG");
            put_time(rows, ref.created);
            TARN_TRY(rows.end_row());
        }
        TARN_TRY(bulk->merge(stamp));
        std::vector<std::string> kinds;
        if (branches) kinds.emplace_back("'BRANCH'");
        if (tags) kinds.emplace_back("'TAG'");
        auto& counts = counts_["refs"];
        TARN_ASSIGN(auto deleted,
                    bulk->delete_others("repo_id = " + sql_text(options_.repo_id) +
                                            " and _raw_data_table = 'gitextractor' and ref_type in (" +
                                            join(kinds, ", ") + ")",
                                        stamp));
        counts.deleted += deleted;
        counts.added += bulk->added();
        counts.changed += bulk->changed();
        return bulk->close();
    });
}

bool RepositoryRows::is_excluded(const std::string& path) const {
    if (options_.excluded.empty()) return false;
    auto small = lower(path);
    return std::ranges::any_of(options_.excluded,
                               [&](const std::string& end) { return small.ends_with(end); });
}

std::string RepositoryRows::component_of(const std::string& path) const {
    for (const auto& [name, regex] : components_) {
        if (re2::RE2::PartialMatch(path, *regex)) return name;
    }
    return "Default";
}

}  // namespace tarn::git
