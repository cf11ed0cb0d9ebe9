-- subtask: Extract PR Commits
-- from: _raw_github_api_pull_request_commits r
-- rows: _tool_github_repo_commits
select r.origin, $connectionId as connection_id, $githubId as repo_id, r.j.sha as commit_sha
from _raw_github_api_pull_request_commits r
where str(r.j.sha) <> ''
