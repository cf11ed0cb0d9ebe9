-- subtask: convertSprints
-- from: _tool_jira_sprints s
-- rows: sprints
-- scope: s.connection_id = $connectionId and s.sprint_id in
--     (select sprint_id from _tool_jira_board_sprints where connection_id = $connectionId and board_id = $boardId)
select s.origin,
    domain_id('jira:JiraSprint', s.connection_id, s.sprint_id) as id,
    str(s.name) as name,
    str(s.self) as url,
    upper(str(s.state)) as status,
    s.start_date as started_date,
    s.end_date as ended_date,
    s.complete_date as completed_date,
    domain_id('jira:JiraBoard', s.connection_id, num(s.origin_board_id)) as original_board_id
from _tool_jira_sprints s
