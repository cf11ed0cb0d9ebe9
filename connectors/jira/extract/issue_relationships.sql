-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- children: _tool_jira_issue_relationships by (connection_id, issue_id)
select r.origin,
    $connectionId as connection_id,
    r.id as issue_id,
    r.key as issue_key,
    num(r.link.type.id) as type_id,
    str(r.link.type.name) as type_name,
    str(r.link.type.inward) as inward,
    str(r.link.type.outward) as outward,
    if(r.link is null, null, num(r.link.inwardIssue.id)) as inward_issue_id,
    str(r.link.inwardIssue.key) as inward_issue_key,
    if(r.link is null, null, num(r.link.outwardIssue.id)) as outward_issue_id,
    str(r.link.outwardIssue.key) as outward_issue_key
from (
    -- Of several links to one issue the last counts.
    select origin, id, key, unnest(or_none(case when len(links) < 2 then links else list_filter(links,
        lambda link, n: not list_contains(list_transform(links[n + 1:], lambda later: (num(later.inwardIssue.id), num(later.outwardIssue.id))),
            (num(link.inwardIssue.id), num(link.outwardIssue.id)))) end)) as link
    from (
        select origin, j.id, str(j.key) as key, j.fields.issuelinks as links
        from _raw_jira_api_issues
        where str(j.fields.created) <> ''
    )
) r
