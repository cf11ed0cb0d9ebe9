"""Rows for the tables of the domain layer, made up alike wherever they are loaded: few, joined with each other, in all states that charts tell apart."""

import datetime
import hashlib

ROWS = 60
SCOPES = 12  # repositories, boards and CI scopes, of different tools in turn
BEGIN = datetime.datetime(2025, 1, 6, 8, 0, 0)
NOW = "2025-06-15T00:00:00Z"

IDS = {
    "repos": "{tool}:Repo:1:{}", "boards": "{tool}:Board:1:{}", "cicd_scopes": "{tool}:Scope:1:{}", "issues": "jira:JiraIssue:1:{}",
    "incidents": "jira:JiraIssue:1:{}", "pull_requests": "github:GithubPullRequest:1:{}", "accounts": "github:GithubAccount:1:{}", "users": "user{}", "teams": "{}",
    "sprints": "jira:JiraSprint:1:{}", "cicd_pipelines": "github:GithubRun:1:{}", "cicd_tasks": "github:GithubJob:1:{}", "refs": "github:GithubRepo:1:1:refs/tags/v{}",
    "cicd_deployments": "github:GithubRun:1:{}", "cicd_deployment_commits": "github:GithubRun:1:{}:x", "cq_projects": "sonarqube:SonarqubeProject:1:{}",
}
TOOLS = {
    "repos": ["github", "gitlab", "bitbucket", "azuredevops_go"], "cicd_scopes": ["github", "jenkins", "bamboo", "circleci"],
    "boards": ["jira", "github", "tapd", "zentao", "teambition", "asana", "taiga", "pagerduty", "opsgenie", "trello", "gitlab", "github"],
}
# Columns that name rows of another table, and of how many of them.
REFERENCES = {
    "repo_id": ("repos", SCOPES), "base_repo_id": ("repos", SCOPES), "head_repo_id": ("repos", SCOPES), "board_id": ("boards", SCOPES), "cicd_scope_id": ("cicd_scopes", SCOPES),
    "scope_id": ("boards", SCOPES), "issue_id": ("issues", ROWS), "parent_issue_id": ("issues", 5), "pull_request_id": ("pull_requests", ROWS), "account_id": ("accounts", 6),
    "author_id": ("accounts", 6), "creator_id": ("accounts", 6), "assignee_id": ("accounts", 6), "committer_id": ("accounts", 6), "merged_by_id": ("accounts", 6),
    "user_id": ("users", 6), "team_id": ("teams", 3), "sprint_id": ("sprints", 4), "pipeline_id": ("cicd_pipelines", ROWS), "cicd_deployment_id": ("cicd_deployments", ROWS),
    "deployment_id": ("cicd_deployment_commits", ROWS), "deployment_commit_id": ("cicd_deployment_commits", ROWS),
    "prev_success_deployment_commit_id": ("cicd_deployment_commits", ROWS), "project_key": ("cq_projects", 3), "new_ref_id": ("refs", 6), "old_ref_id": ("refs", 6),
}
WORDS = {
    ("issues", "type"): ["BUG", "INCIDENT", "REQUIREMENT"], ("issues", "status"): ["DONE", "DONE", "TODO", "IN_PROGRESS"], ("issues", "priority"): ["High", "Low"],
    ("issues", "original_status"): ["closed", "resolved", "open"], ("incidents", "status"): ["DONE", "TODO"], ("pull_requests", "status"): ["MERGED", "CLOSED", "OPEN"],
    ("pull_requests", "original_status"): ["merged", "closed", "open"], ("pull_request_comments", "type"): ["NORMAL", "REVIEW", "DIFF"],
    ("issue_changelogs", "field_name"): ["Sprint", "status"], ("cq_issues", "type"): ["BUG", "CODE_SMELL", "VULNERABILITY", "HOTSPOTS"],
    ("cq_issues", "severity"): ["BLOCKER", "CRITICAL", "MINOR"], ("cq_issues", "status"): ["OPEN", "TO_REVIEW"], ("cq_issue_impacts", "software_quality"): ["SECURITY", "RELIABILITY"],
    ("project_mapping", "table"): ["repos", "boards", "cicd_scopes"],
}
ANYWHERE = {"result": ["SUCCESS", "SUCCESS", "FAILURE"], "environment": ["PRODUCTION", "PRODUCTION", "STAGING"], "status": ["DONE", "IN_PROGRESS"],
            "ref_name": ["refs/heads/main", "refs/tags/v1"], "table": ["boards", "cicd_scopes"]}
COMMITS = {"sha", "commit_sha", "merge_commit_sha", "head_commit_sha", "base_commit_sha", "new_commit_sha", "old_commit_sha", "prev_commit_sha", "new_ref_commit_sha",
           "old_ref_commit_sha"}
# Days from the beginning of a row's story; columns that are not named lie in between.
LATER = {"created_date": 0, "authored_date": 0, "committed_date": 0, "started_date": 1, "queued_date": 0, "finished_date": 1, "merged_date": 2, "closed_date": 2,
         "resolution_date": 3, "due_date": 5, "updated_date": 3, "first_comment_date": 1, "pr_created_date": 0, "pr_merged_date": 2}


def identity(table, number):
    tools = TOOLS.get(table, [""])
    return IDS[table].format(number, tool=tools[number % len(tools)])


def _word(options, number):
    return options[number % len(options)]


def _text(table, column, number, length):
    if column == "id" and table in IDS:
        return identity(table, number)
    if table == "project_mapping" and column == "row_id":
        kind = _word(WORDS["project_mapping", "table"], number)
        return identity(kind, 1 + number // 3 % SCOPES)
    if column in REFERENCES:
        of, count = REFERENCES[column]
        return identity(of, 1 + (number - 1) % count)
    if column in COMMITS:
        return hashlib.sha1(str((number - 1) % ROWS + (7 if column.startswith(("old", "prev", "base")) else 0)).encode()).hexdigest()
    if column == "project_name" or (table, column) == ("projects", "name"):
        # Of a mapping: each row of another table is in one project.
        return f"project {number}" if table == "projects" else f"project {1 + number // 3 % SCOPES % 2}"
    options = WORDS.get((table, column)) or ANYWHERE.get(column)
    if options:
        return _word(options, number)
    return f"{column} {(number - 1) % 6}"[:length] if column != "url" else f"https://x/{table}/{number}"


def _value(table, column, kind, length, number):
    if column in ("is_subtask", "is_draft", "is_invalid"):
        return 0
    if kind in ("datetime", "timestamp", "date"):
        if column in ("merged_date", "closed_date", "resolution_date") and number % 4 == 3:
            return None
        return str(BEGIN + datetime.timedelta(days=2 * number + LATER.get(column, 1), hours=number % 5))
    if kind in ("varchar", "char", "text", "longtext", "mediumtext"):
        return _text(table, column, number, length)
    if kind in ("double", "float", "decimal"):
        return number * 1.5
    return number % 2 if kind == "tinyint" else number


def rows_of(table, columns):
    """`columns`: name, kind, length. The rows of a table, as dictionaries; equal keys may occur."""
    return [{name: _value(table, name, kind, length, number) for name, kind, length in columns} for number in range(1, ROWS + 1)]
