-- subtask: ConvertIssueComments
-- from: _tool_jira_issue_comments c
-- rows: issue_comments
-- incremental: no
-- scope: c.connection_id = $connectionId and c.issue_id in
--     (select issue_id from _tool_jira_board_issues where connection_id = $connectionId and board_id = $boardId)
select c.origin,
    domain_id('jira:JiraIssue', c.connection_id, c.issue_id) as id,  -- the issue's id: one comment an issue is left, the one of the highest id, as in DevLake
    domain_id('jira:JiraIssue', c.connection_id, c.issue_id) as issue_id,
    str(c.body) as body,
    domain_id('jira:JiraAccount', c.connection_id, str(c.creator_account_id)) as account_id,
    c.created as created_date,
    c.updated as updated_date
from _tool_jira_issue_comments c
qualify row_number() over (partition by c.connection_id, c.issue_id order by c.coment_id desc) = 1
