-- subtask: Extract PR Commits
-- from: _raw_github_api_pull_request_commits r
-- rows: _tool_github_commits
select r.origin,
    r.j.sha as sha,
    0 as author_id,
    str(r.j.commit.author.name) as author_name,
    str(r.j.commit.author.email) as author_email,
    r.j.commit.author.date as authored_date,
    0 as committer_id,
    str(r.j.commit.committer.name) as committer_name,
    str(r.j.commit.committer.email) as committer_email,
    r.j.commit.committer.date as committed_date,
    coalesce(r.j.commit.message, 'null') as message,  -- JSON text with its quotes and escapes, as DevLake keeps it
    str(r.j.url) as url,
    num(s.additions) as additions,
    num(s.deletions) as deletions
from _raw_github_api_pull_request_commits r
left join _tool_github_commit_stats s on s.connection_id = $connectionId and s.sha = r.j.sha
where str(r.j.sha) <> ''
