-- subtask: Convert PR Commits
-- from: _tool_github_pull_request_commits c
-- rows: pull_request_commits
-- scope: c.connection_id = $connectionId
--     and c.pull_request_id in (select github_id from _tool_github_pull_requests where connection_id = $connectionId and repo_id = $githubId)
select c.origin,
    c.commit_sha,
    domain_id('github:GithubPullRequest', c.connection_id, c.pull_request_id) as pull_request_id,
    str(c.commit_author_name) as commit_author_name,
    str(c.commit_author_email) as commit_author_email,
    c.commit_authored_date
from _tool_github_pull_request_commits c
