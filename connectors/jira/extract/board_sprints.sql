-- subtask: extractSprints
-- from: _raw_jira_api_sprints r
-- rows: _tool_jira_board_sprints
select r.origin, $connectionId as connection_id, $boardId as board_id, r.j.id as sprint_id
from _raw_jira_api_sprints r
