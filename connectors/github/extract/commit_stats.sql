-- subtask: Extract Commit Stats
-- from: _raw_github_api_commit_stats r
-- rows: _tool_github_commit_stats
select r.origin,
    $connectionId as connection_id,
    r.j.sha as sha,
    num(r.j.stats.additions) as additions,
    num(r.j.stats.deletions) as deletions,
    r.j.commit.committer.date as committed_date
from _raw_github_api_commit_stats r
where str(r.j.sha) <> ''
