-- subtask: Extract Milestones
-- from: _raw_github_milestones r
-- rows: _tool_github_milestones
select r.origin,
    $connectionId as connection_id,
    num(r.j.id) as milestone_id,
    $githubId as repo_id,
    num(r.j.number) as number,
    str(r.j.url) as url,
    str(r.j.title) as title,
    num(r.j.open_issues) as open_issues,
    num(r.j.closed_issues) as closed_issues,
    str(r.j.state) as state,
    r.j.created_at as github_created_at,
    r.j.updated_at as github_updated_at,
    r.j.closed_at as closed_at
from _raw_github_milestones r
