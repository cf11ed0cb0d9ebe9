-- subtask: Convert Commits
-- from: _tool_github_commits c
-- rows: commits
-- scope: c.sha in (select commit_sha from _tool_github_repo_commits where connection_id = $connectionId and repo_id = $githubId)
select c.origin,
    c.sha,
    num(c.additions) as additions,
    num(c.deletions) as deletions,
    0 as dev_eq,
    str(c.message) as message,
    str(c.author_name) as author_name,
    str(c.author_email) as author_email,
    c.authored_date,
    str(c.author_email) as author_id,
    str(c.committer_name) as committer_name,
    str(c.committer_email) as committer_email,
    c.committed_date,
    str(c.committer_email) as committer_id
from _tool_github_commits c
