-- subtask: convertIssues
-- from: _tool_jira_issues i
-- rows: issue_assignees
-- scope: i.connection_id = $connectionId and i.issue_id in
--     (select issue_id from _tool_jira_board_issues where connection_id = $connectionId and board_id = $boardId)
select i.origin,
    domain_id('jira:JiraIssue', i.connection_id, i.issue_id) as issue_id,
    domain_id('jira:JiraAccount', i.connection_id, i.assignee_account_id) as assignee_id,
    str(i.assignee_display_name) as assignee_name
from _tool_jira_issues i
where str(i.assignee_account_id) <> ''
