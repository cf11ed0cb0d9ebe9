-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- children: _tool_jira_issue_labels by (connection_id, issue_id)
select r.origin, $connectionId as connection_id, r.j.id as issue_id, unnest(or_none(r.j.fields.labels)) as label_name
from _raw_jira_api_issues r
where str(r.j.fields.created) <> ''
