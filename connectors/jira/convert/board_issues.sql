-- subtask: convertIssues
-- from: _tool_jira_board_issues b
-- rows: board_issues
select b.origin, domain_id('jira:JiraBoard', b.connection_id, b.board_id) as board_id, domain_id('jira:JiraIssue', b.connection_id, b.issue_id) as issue_id
from _tool_jira_board_issues b
