// commit_line_change and repo_snapshot.
#include <algorithm>
#include <cstdlib>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "git/bulk.h"
#include "git/rows.h"

namespace tarn::git {
namespace {

constexpr std::size_t path_length = 255;

// What stands for a path in a row's id: itself, as DevLake has it, where it fits and is a text; else its hash.
std::string path_in_id(const std::string& path) {
    constexpr std::size_t room = 170;  // 255 less a commit and two numbers
    bool fits = path.size() <= room && clean(path) == path;
    return fits ? path : path_hash(path);
}

}  // namespace

Result<std::vector<std::string>> RepositoryRows::commits_with_lines() {
    TARN_ASSIGN(auto reader, data_.reader());
    std::vector<std::string> out;
    TARN_TRY(reader->each("select distinct commit_sha from main.commit_line_change order by 1",
                          [&](const std::vector<duck::Text>& row) { out.push_back(row[0].value_or("")); }));
    return out;
}

Result<> RepositoryRows::put_lines(const LineChanges& changes) {
    std::vector<std::string> ids, paths;
    for (const auto& path : changes.paths) {
        ids.push_back(path_in_id(path));
        paths.push_back(clean(path, path_length));
    }
    return write([&](duck::Connection& connection, Millis stamp) -> Result<> {
        TARN_ASSIGN(auto bulk, Bulk::open(connection, *schema_.table("commit_line_change"),
                                          {"id", "commit_sha", "new_file_path", "line_no_new", "line_no_old",
                                           "old_file_path", "hunk_num", "changed_type", "prev_commit"},
                                          options_.repo_id));
        auto& rows = bulk->rows();
        for (const auto& line : changes.lines) {
            const auto& sha = changes.commits[line.commit];
            rows.text(fmt::format("{}:{}:{}:{}", sha, ids[line.path], line.line_old, line.line_new));
            rows.text(sha);
            rows.text(paths[line.path]);
            rows.number(line.line_new);
            rows.number(line.line_old);
            rows.text(paths[line.path]);
            rows.number(line.hunk);
            rows.text(line.line_new < 0 ? "Deletion" : "Addition");
            rows.text(line.previous == LineChange::nobody ? "" : changes.commits[line.previous]);
            TARN_TRY(rows.end_row());
        }
        TARN_TRY(bulk->merge(stamp));
        counts_["commit_line_change"].added += bulk->added();
        counts_["commit_line_change"].changed += bulk->changed();
        return bulk->close();
    });
}

Result<std::optional<LineHistory::Owners>> RepositoryRows::stored_owners(
    const std::vector<std::string>& commits, const std::vector<std::string>& paths, std::int64_t lines) {
    std::unordered_map<std::string, std::uint32_t> places;
    for (const auto& sha : commits) places.emplace(sha, static_cast<std::uint32_t>(places.size()));
    LineHistory::Owners owners;
    std::unordered_map<std::string, std::vector<std::uint32_t>*> by_name;
    bool good = true;
    for (const auto& path : paths)
        good = by_name.emplace(clean(path, path_length), &owners[path]).second && good;
    TARN_ASSIGN(auto reader, data_.reader());
    TARN_TRY(reader->each("select file_path, line_no, commit_sha from main.repo_snapshot where repo_id = " +
                              sql_text(options_.repo_id),
                          [&](const std::vector<duck::Text>& row) {
                              --lines;
                              auto file = by_name.find(row[0].value_or(""));
                              auto commit = places.find(row[2].value_or(""));
                              auto number = std::strtoull(row[1].value_or("").c_str(), nullptr, 10);
                              good = good && file != by_name.end() && commit != places.end() && number > 0;
                              if (!good) return;
                              auto& file_lines = *file->second;
                              if (file_lines.size() < number) file_lines.resize(number, LineChange::nobody);
                              file_lines[number - 1] = commit->second;
                          }));
    std::erase_if(owners, [](const auto& file) { return file.second.empty(); });
    return good && lines == 0 ? std::optional(std::move(owners)) : std::nullopt;
}

Result<std::int64_t> RepositoryRows::put_snapshot(const LineHistory& history) {
    const auto mine = "raw_table = 'gitextractor' and params = " + sql_text(options_.repo_id) +
                      " and path like 'repo\\_snapshot:%' escape '\\'";
    std::int64_t lines = 0;
    TARN_TRY(write([&](duck::Connection& connection, Millis stamp) -> Result<> {
        lines = 0;
        TARN_TRY(connection.run("delete from main._tarn_rejects where " + mine));
        TARN_ASSIGN(auto bulk,
                    Bulk::open(connection, *schema_.table("repo_snapshot"),
                               {"repo_id", "commit_sha", "file_path", "line_no"}, options_.repo_id));
        auto& rows = bulk->rows();
        std::set<std::string> taken;
        std::vector<std::string> left_out;
        for (const auto& [path, owners] : history.owners()) {
            auto name = clean(path, path_length);
            if (!taken.insert(name).second) {
                left_out.push_back(std::move(name));
                continue;
            }
            for (std::size_t i = 0; i < owners.size(); ++i) {
                if (owners[i] == LineChange::nobody) continue;
                rows.text(options_.repo_id);
                rows.text(history.commits()[owners[i]]);
                rows.text(name);
                rows.number(static_cast<std::int64_t>(i) + 1);
                TARN_TRY(rows.end_row());
                ++lines;
            }
        }
        TARN_TRY(bulk->merge(stamp));
        TARN_ASSIGN(auto deleted, bulk->delete_others("repo_id = " + sql_text(options_.repo_id), stamp));
        auto& counts = counts_["repo_snapshot"];
        counts.added += bulk->added();
        counts.deleted += deleted;
        TARN_TRY(bulk->close());
        for (const auto& name : left_out)
            TARN_TRY(put_reason(connection, "repo_snapshot:" + clean(name, path_length - 20),
                                "the first 255 characters of its path are another file's", stamp));
        return {};
    }));
    return lines;
}

}  // namespace tarn::git
