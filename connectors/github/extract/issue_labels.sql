-- subtask: Extract Issues
-- from: _raw_github_api_issues r
-- children: _tool_github_issue_labels by (connection_id, issue_id)
select r.origin,
    $connectionId as connection_id,
    r.j.id as issue_id,
    unnest(or_none(list_transform(r.j.labels, lambda label: str(label.name)))) as label_name
from _raw_github_api_issues r
where num(r.j.id) <> 0 and str(r.j.pull_request.url) = ''
