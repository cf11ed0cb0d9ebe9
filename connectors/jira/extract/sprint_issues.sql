-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- children: _tool_jira_sprint_issues by (connection_id, issue_id)
select r.origin,
    $connectionId as connection_id,
    unnest(or_none(list_distinct(list_concat([r.j.fields.sprint.id], list_transform(r.j.fields.closedSprints, lambda s: s.id))))) as sprint_id,
    r.j.id as issue_id,
    r.j.fields.resolutiondate as resolution_date,
    utc_time(r.j.fields.created) as issue_created_date
from _raw_jira_api_issues r
where str(r.j.fields.created) <> ''
