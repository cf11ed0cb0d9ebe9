-- subtask: convertIssueCommits
-- from: _tool_jira_issue_commits c
-- rows: issue_commits
-- scope: c.connection_id = $connectionId and c.issue_id in
--     (select issue_id from _tool_jira_board_issues where connection_id = $connectionId and board_id = $boardId)
select c.origin, domain_id('jira:JiraIssue', c.connection_id, c.issue_id) as issue_id, c.commit_sha
from _tool_jira_issue_commits c
