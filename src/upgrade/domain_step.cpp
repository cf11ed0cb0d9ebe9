// Rows of the domain layer whose ids or places have changed since they were written.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "upgrade/steps.h"

namespace tarn::upgrade {
namespace {

struct Move {
    const char* table;            // whose rows are concerned
    const char* rows;             // which of them: a condition
    std::vector<const char*> of;  // "table.column" that must be there
    std::int64_t since;           // DevLake's script that does it; 0: the condition tells
    const char* statement;        // can be run again
};

const std::vector<Move>& moves() {
    static const std::vector<Move> all = {
        {"commit_file_components",
         "{unhashed}",
         {"commit_file_components.commit_file_id"},
         20220913165805,
         "update commit_file_components set commit_file_id = {rehashed} where {unhashed}"},
        {"commit_files",
         "id <> concat(commit_sha, ':', {hash})",
         {"commit_files.file_path"},
         20220913165805,
         "update commit_files set id = concat(commit_sha, ':', {hash}) where id <> concat(commit_sha, ':', "
         "{hash})"},
        {"refs_commits_diffs",
         "1 = 1",
         {"refs_commits_diffs.new_ref_commit_sha", "refs_commits_diffs.old_ref_commit_sha"},
         20221109232735,
         "insert into commits_diffs (new_commit_sha, old_commit_sha, commit_sha, sorting_index) select "
         "r.new_ref_commit_sha, r.old_ref_commit_sha, r.commit_sha, max(r.sorting_index) from "
         "refs_commits_diffs r where "
         "r.new_ref_commit_sha is not null and r.old_ref_commit_sha is not null and not exists (select 1 "
         "from "
         "commits_diffs d where d.new_commit_sha = r.new_ref_commit_sha and d.old_commit_sha = "
         "r.old_ref_commit_sha and "
         "d.commit_sha = r.commit_sha) group by r.new_ref_commit_sha, r.old_ref_commit_sha, r.commit_sha"},
        // Releases around v0.14 had both, and wrote this one.
        {"cicd_pipeline_commits",
         "repo is not null",
         {"cicd_pipeline_commits.repo", "cicd_pipeline_commits.repo_url"},
         0,
         "update cicd_pipeline_commits set repo_url = repo where repo is not null"},
    };
    return all;
}

// The parts in braces, as the server has them.
std::string written(const Context& context, const char* text) {
    bool mysql = context.database.is_mysql();
    std::string hash = mysql ? "sha2({}, 256)" : "encode(sha256(convert_to({}, 'UTF8')), 'hex')";
    auto path =
        mysql ? "if(locate(':', commit_file_id) > 0, substring(commit_file_id, locate(':', commit_file_id) + "
                "1), '')"
              : "case when position(':' in commit_file_id) > 0 then substr(commit_file_id, position(':' in "
                "commit_file_id) + 1) else '' end";
    auto sha = mysql ? "substring_index(commit_file_id, ':', 1)" : "split_part(commit_file_id, ':', 1)";
    auto out = replaced(text, "{hash}", replaced(hash, "{}", "file_path"));
    out = replaced(std::move(out), "{rehashed}",
                   fmt::format("concat({}, ':', {})", sha, replaced(hash, "{}", path)));
    return replaced(std::move(out), "{unhashed}",
                    fmt::format("commit_file_id {} ':[0-9a-f]{{64}}$'", mysql ? "not regexp" : "!~"));
}

// Before this script of DevLake the rows are of another form as a whole, and set aside.
constexpr std::int64_t new_domain_layer = 20220707232344;

bool is_due(const Context& context, const Move& move) {
    if (!context.scripts.contains(new_domain_layer)) return false;
    if (move.since != 0 && context.scripts.contains(move.since)) return false;
    return std::ranges::all_of(move.of, [&](const std::string& place) {
        auto dot = place.find('.');
        return context.database.has(place.substr(0, dot), place.substr(dot + 1));
    });
}

Result<Due> domain_due(Context& context) {
    Due due;
    for (const auto& move : moves()) {
        if (!is_due(context, move)) continue;
        TARN_ASSIGN(auto rows, context.database.count(move.table, written(context, move.rows)));
        if (rows == 0) continue;
        due.tables.emplace_back(move.table);
        due.rows += rows;
    }
    return due;
}

Result<> move_all(Context& context) {
    for (const auto& move : moves())
        if (is_due(context, move)) TARN_TRY(context.database.run(written(context, move.statement)));
    return {};
}

}  // namespace

Step domain_step() {
    return {"10 domain", "Rows of the domain layer get their newest ids", domain_due, move_all};
}

}  // namespace tarn::upgrade
