-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- rows: _tool_jira_board_issues
select r.origin, $connectionId as connection_id, $boardId as board_id, r.j.id as issue_id
from _raw_jira_api_issues r
where str(r.j.fields.created) <> ''
