#include "api/posted_rows.h"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "run/fields.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;
using enum PostedKind;

// The first 16 hex digits of the MD5: a short name for a URL, as DevLake makes it.
std::string short_hash(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) != 1) return {};
    std::string out;
    for (unsigned int i = 0; i < 8; ++i) out += fmt::format("{:02x}", digest[i]);
    return out;
}

Result<std::vector<PostedRow>> commits_of(const Table& table, const Json& body) {
    const auto& list = posted_member(body, "deploymentCommits");
    if (!list.is_array()) return run::wrong("deploymentCommits", "must be a list of commits");
    if (list.empty())
        return run::wrong("deploymentCommits", "deployment_commits is empty: name at least one commit");
    std::vector<PostedRow> rows;
    for (std::size_t i = 0; i < list.size(); ++i) {
        auto where = fmt::format("deploymentCommits[{}]", i);
        if (!list[i].is_object()) return run::wrong(where, "must be an object");
        TARN_ASSIGN(auto row, read_posted(list[i], deployment_commit_fields(), table, where + "."));
        rows.push_back(std::move(row));
    }
    return rows;
}

// What a commit takes from its deployment.
Result<> complete_commit(const Table& table, const Webhook& webhook, const PostedRow& deployment,
                         PostedRow& row) {
    auto id = deployment.at("id").value_or(""), sha = row["commit_sha"].value_or("");
    row["id"] = webhook_domain_id(webhook,
                                  fmt::format("{}:{}:{}", id, short_hash(row["repo_url"].value_or("")), sha));
    TARN_TRY(check_made(table, row, "id", "id"));
    row["cicd_deployment_id"] = id;
    row["cicd_scope_id"] = webhook_domain_id(webhook);
    row["original_result"] = row["result"];
    row["original_status"] = row["status"];
    if (row["name"] == "") row["name"] = "deployment for " + sha;
    if (!row["created_date"]) row["created_date"] = deployment.at("created_date");
    for (const auto* column : {"environment", "original_environment", "duration_sec"})
        row[column] = deployment.at(column);
    return {};
}

std::string deployment_name(const std::vector<PostedRow>& commits, const std::string& environment) {
    std::vector<std::string> shas;
    for (const auto& commit : commits) shas.push_back(commit.at("commit_sha").value_or(""));
    return fmt::format("deploy {} to {}", join(shas, ","), environment);
}

std::string minutes_between(Millis from, Millis to) {
    return std::to_string(std::max<Millis>(to - from, 0) / 60'000);
}

// The columns of an incident beside those that an issue has under the same name
PostedRow incident_of(const Table& incidents, const PostedRow& issue, const std::string& board) {
    PostedRow row;
    for (const auto& [column, value] : issue) {
        if (incidents.column(column) != nullptr) row[column] = value;
    }
    row["incident_key"] = issue.at("issue_key");
    row["parent_incident_id"] = issue.at("parent_issue_id");
    row["table"] = "boards";
    row["scope_id"] = board;
    return row;
}

}  // namespace

std::string webhook_domain_id(const Webhook& webhook, const std::string& rest) {
    auto id = fmt::format("webhook:{}", webhook.id);
    return rest.empty() ? id : id + ":" + rest;
}

const std::vector<PostedField>& deployment_fields() {
    static const std::vector<PostedField> fields = {
        {"id", "id", text, true},
        {"displayTitle", "display_title"},
        {"name", "name"},
        {"result", "result", text, false, {}, "SUCCESS"},
        {"environment",
         "environment",
         text,
         false,
         {"PRODUCTION", "STAGING", "TESTING", "DEVELOPMENT"},
         "PRODUCTION"},
        {"originalEnvironment", "original_environment"},
        {"createdDate", "created_date", time},
        {"startedDate", "started_date", time, true},
        {"finishedDate", "finished_date", time, true},
    };
    return fields;
}

const std::vector<PostedField>& deployment_commit_fields() {
    static const std::vector<PostedField> fields = {
        {"displayTitle", "display_title"},
        {"repoId", "repo_id"},
        {"repoUrl", "repo_url", text, true},
        {"name", "name"},
        {"refName", "ref_name"},
        {"commitSha", "commit_sha", text, true},
        {"commitMsg", "commit_msg"},
        {"result", "result", text, false, {}, "SUCCESS"},
        {"status", "status", text, false, {}, "DONE"},
        {"createdDate", "created_date", time},
        {"startedDate", "started_date", time, true},
        {"finishedDate", "finished_date", time, true},
    };
    return fields;
}

const std::vector<PostedField>& issue_fields() {
    static const std::vector<PostedField> fields = {
        {"url", "url"},
        {"issueKey", "issue_key", text, true},
        {"title", "title", text, true},
        {"description", "description"},
        {"epicKey", "epic_key"},
        {"type", "type"},
        {"status", "status", text, true, {"TODO", "DONE", "IN_PROGRESS"}},
        {"originalStatus", "original_status", text, true},
        {"storyPoint", "story_point", real},
        {"resolutionDate", "resolution_date", time},
        {"createdDate", "created_date", time, true},
        {"updatedDate", "updated_date", time},
        {"leadTimeMinutes", "lead_time_minutes", whole},
        {"parentIssueKey", "parent_issue_id"},
        {"priority", "priority"},
        {"originalEstimateMinutes", "original_estimate_minutes", whole},
        {"timeSpentMinutes", "time_spent_minutes", whole},
        {"timeRemainingMinutes", "time_remaining_minutes", whole},
        {"creatorId", "creator_id"},
        {"creatorName", "creator_name"},
        {"assigneeId", "assignee_id"},
        {"assigneeName", "assignee_name"},
        {"severity", "severity"},
        {"component", "component"},
    };
    return fields;
}

const std::vector<PostedField>& pull_request_fields() {
    static const std::vector<PostedField> fields = {
        {"id", "", text, true},
        {"baseRepoId", ""},
        {"headRepoId", "head_repo_id"},
        {"status", "status", text, false, {"OPEN", "CLOSED", "MERGED"}},
        {"originalStatus", "original_status"},
        {"displayTitle", "title", text, true},
        {"description", "description"},
        {"url", "url"},
        {"authorName", "author_name"},
        {"authorId", "author_id"},
        {"mergedByName", "merged_by_name"},
        {"mergedById", "merged_by_id"},
        {"parentPrId", "parent_pr_id"},
        {"pullRequestKey", "pull_request_key", whole, true},
        {"createdDate", "created_date", time, true},
        {"mergedDate", "merged_date", time},
        {"closedDate", "closed_date", time},
        {"type", "type"},
        {"component", "component"},
        {"mergeCommitSha", "merge_commit_sha"},
        {"headRef", "head_ref"},
        {"baseRef", "base_ref"},
        {"baseCommitSha", "base_commit_sha"},
        {"headCommitSha", "head_commit_sha"},
        {"additions", "additions", whole},
        {"deletions", "deletions", whole},
        {"isDraft", "is_draft", flag},
    };
    return fields;
}

Result<std::vector<TableRows>> deployment_rows(const Schema& schema, const Webhook& webhook,
                                               const Json& body) {
    const Table& commits_table = *schema.table("cicd_deployment_commits");
    const Table& table = *schema.table("cicd_deployments");
    TARN_ASSIGN(auto deployment, read_posted(body, deployment_fields(), table));
    TARN_ASSIGN(auto commits, commits_of(commits_table, body));
    if (!deployment["created_date"]) deployment["created_date"] = deployment["started_date"];
    auto spent = posted_time(deployment, "finished_date") - posted_time(deployment, "started_date");
    deployment["duration_sec"] = std::to_string(spent / 1000);
    if (deployment["name"] == "")
        deployment["name"] = deployment_name(commits, deployment["environment"].value_or(""));
    for (auto& commit : commits) TARN_TRY(complete_commit(commits_table, webhook, deployment, commit));
    deployment["cicd_scope_id"] = webhook_domain_id(webhook);
    for (const auto* column : {"status", "original_status", "original_result"})
        deployment[column] = commits.front()[column];
    return std::vector<TableRows>{{"cicd_deployment_commits", commits}, {"cicd_deployments", {deployment}}};
}

Result<std::vector<TableRows>> issue_rows(const Schema& schema, const Webhook& webhook, const Json& body) {
    const Table& table = *schema.table("issues");
    const Table& incidents = *schema.table("incidents");
    TARN_ASSIGN(auto issue, read_posted(body, issue_fields(), table));
    issue["id"] = webhook_domain_id(webhook, issue["issue_key"].value_or(""));
    TARN_TRY(check_made(table, issue, "id", "issueKey"));
    for (const auto& [column, name] :
         {std::pair{"creator_id", "creatorId"}, std::pair{"assignee_id", "assigneeId"},
          std::pair{"parent_issue_id", "parentIssueKey"}}) {
        if (issue[column] != "") issue[column] = webhook_domain_id(webhook, *issue[column]);
        TARN_TRY(check_made(table, issue, column, name));
    }
    if (issue["lead_time_minutes"]->starts_with('-'))
        return run::wrong("leadTimeMinutes", "must not be below zero");
    if (issue["lead_time_minutes"] == "0" && issue["resolution_date"]) {
        issue["lead_time_minutes"] =
            minutes_between(posted_time(issue, "created_date"), posted_time(issue, "resolution_date"));
    }
    auto board = webhook_domain_id(webhook);
    std::vector<TableRows> out = {{"boards", {{{"id", board}}}},
                                  {"issues", {issue}},
                                  {"board_issues", {{{"board_id", board}, {"issue_id", issue["id"]}}}}};
    if (issue["type"] != "INCIDENT") return out;
    TARN_TRY(run::check_text(*incidents.column("component"), "component", issue["component"].value_or("")));
    out.push_back({"incidents", {incident_of(incidents, issue, board)}});
    if (issue["assignee_id"] != "") {
        out.push_back({"incident_assignees",
                       {{{"incident_id", issue["id"]},
                         {"assignee_id", issue["assignee_id"]},
                         {"assignee_name", issue["assignee_name"]}}}});
    }
    return out;
}

Result<std::vector<TableRows>> pull_request_rows(const Schema& schema, const Webhook& webhook,
                                                 const Json& body) {
    const Table& table = *schema.table("pull_requests");
    TARN_ASSIGN(auto row, read_posted(body, pull_request_fields(), table));
    row["id"] = webhook_domain_id(webhook, row["pull_request_key"].value_or(""));
    row["base_repo_id"] = webhook_domain_id(webhook);
    return std::vector<TableRows>{{"pull_requests", {row}}};
}

}  // namespace tarn::api
