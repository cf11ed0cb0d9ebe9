-- subtask: convertSprints
-- from: _tool_jira_sprints s
-- rows: board_sprints
-- scope: s.connection_id = $connectionId and s.sprint_id in
--     (select sprint_id from _tool_jira_board_sprints where connection_id = $connectionId and board_id = $boardId)
select s.origin, domain_id('jira:JiraBoard', s.connection_id, $boardId) as board_id, domain_id('jira:JiraSprint', s.connection_id, s.sprint_id) as sprint_id
from _tool_jira_sprints s
