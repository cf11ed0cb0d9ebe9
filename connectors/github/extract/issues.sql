-- subtask: Extract Issues
-- from: _raw_github_api_issues r
-- rows: _tool_github_issues
select r.origin,
    $connectionId as connection_id,
    r.j.id as github_id,
    $githubId as repo_id,
    num(r.j.number) as number,
    str(r.j.state) as state,
    str(r.j.title) as title,
    coalesce(r.j.body, 'null') as body,  -- JSON text with its quotes and escapes, as DevLake keeps it
    last_match($issuePriority, r.labels) as priority,
    str(array_to_string(r.labels, ',')) as type,
    issue_type($issueTypeRequirement, $issueTypeBug, $issueTypeIncident, r.labels) as std_type,
    num(r.j.user.id) as author_id,
    str(r.j.user.login) as author_name,
    num(r.j.assignee.id) as assignee_id,
    str(r.j.assignee.login) as assignee_name,
    num(r.j.milestone.id) as milestone_id,
    greatest(minutes_between(r.j.created_at, r.j.closed_at), if(r.j.closed_at is null, null, 0)) as lead_time_minutes,
    str(r.j.html_url) as url,
    r.j.closed_at as closed_at,
    r.j.created_at as github_created_at,
    r.j.updated_at as github_updated_at,
    last_match($issueSeverity, r.labels) as severity,
    last_match($issueComponent, r.labels) as component
from (select *, list_transform(coalesce(j.labels, []), lambda label: str(label.name)) as labels from _raw_github_api_issues) r
where num(r.j.id) <> 0 and str(r.j.pull_request.url) = ''
