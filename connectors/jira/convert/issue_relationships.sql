-- subtask: convertIssueRelationships
-- from: _tool_jira_issue_relationships r
-- rows: issue_relationships
-- scope: r.connection_id = $connectionId and r.issue_id in
--     (select issue_id from _tool_jira_board_issues where connection_id = $connectionId and board_id = $boardId)
select r.origin,
    domain_id('jira:JiraIssue', r.connection_id, r.issue_id) as source_issue_id,
    domain_id('jira:JiraIssue', r.connection_id, if(r.inward_issue_id <> 0, r.inward_issue_id, r.outward_issue_id)) as target_issue_id,
    str(if(r.inward_issue_id <> 0, r.inward, r.outward)) as original_type
from _tool_jira_issue_relationships r
