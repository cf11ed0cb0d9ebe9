-- subtask: Extract Events
-- from: _raw_github_api_events r
-- rows: _tool_github_issue_events
select r.origin,
    $connectionId as connection_id,
    r.j.id as github_id,
    num(r.j.issue.id) as issue_id,
    str(r.j.event) as type,
    str(r.j.actor.login) as author_username,
    r.j.created_at as github_created_at
from _raw_github_api_events r
where num(r.j.id) <> 0 and r.j.actor is not null
