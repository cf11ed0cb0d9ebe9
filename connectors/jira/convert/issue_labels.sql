-- subtask: convertIssueLabels
-- from: _tool_jira_issue_labels l
-- rows: issue_labels
-- scope: l.connection_id = $connectionId and l.issue_id in
--     (select issue_id from _tool_jira_board_issues where connection_id = $connectionId and board_id = $boardId)
select l.origin, domain_id('jira:JiraIssue', l.connection_id, l.issue_id) as issue_id, l.label_name
from _tool_jira_issue_labels l
