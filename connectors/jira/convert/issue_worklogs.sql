-- subtask: convertWorklogs
-- from: _tool_jira_worklogs w
-- rows: issue_worklogs
-- scope: w.connection_id = $connectionId and w.issue_id in
--     (select issue_id from _tool_jira_board_issues where connection_id = $connectionId and board_id = $boardId)
select w.origin,
    domain_id('jira:JiraWorklog', w.connection_id, w.issue_id, w.worklog_id) as id,
    domain_id_or_empty('jira:JiraAccount', w.connection_id, w.author_id) as author_id,
    '' as comment,
    num(w.time_spent_seconds) // 60 as time_spent_minutes,
    w.updated as logged_date,
    w.started as started_date,
    domain_id('jira:JiraIssue', w.connection_id, w.issue_id) as issue_id
from _tool_jira_worklogs w
