-- subtask: Extract PR Commits
-- from: _raw_github_api_pull_request_commits r
-- rows: _tool_github_pull_request_commits
select r.origin,
    $connectionId as connection_id,
    r.j.sha as commit_sha,
    num(r.input.GithubId) as pull_request_id,
    str(r.j.commit.author.name) as commit_author_name,
    str(r.j.commit.author.email) as commit_author_email,
    r.j.commit.author.date as commit_authored_date
from _raw_github_api_pull_request_commits r
where str(r.j.sha) <> ''
