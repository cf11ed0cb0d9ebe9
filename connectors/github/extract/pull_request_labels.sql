-- subtask: Extract Pull Requests
-- from: _raw_github_api_pull_requests r
-- children: _tool_github_pull_request_labels by (connection_id, pull_id)
select r.origin,
    $connectionId as connection_id,
    r.j.id as pull_id,
    unnest(or_none(list_transform(r.j.labels, lambda label: str(label.name)))) as label_name
from _raw_github_api_pull_requests r
where num(r.j.id) <> 0 and not in_list($GITHUB_PR_EXCLUDELIST, r.j.user.login)
