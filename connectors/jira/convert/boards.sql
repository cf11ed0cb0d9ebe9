-- subtask: convertBoard
-- from: _tool_jira_boards b
-- rows: boards
select b.origin, domain_id('jira:JiraBoard', b.connection_id, b.board_id) as id, str(b.name) as name, '' as description, str(b.self) as url, str(b.type) as type
from _tool_jira_boards b
