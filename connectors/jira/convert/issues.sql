-- subtask: convertIssues
-- from: _tool_jira_issues i
-- rows: issues
-- scope: i.connection_id = $connectionId and i.issue_id in
--     (select issue_id from _tool_jira_board_issues where connection_id = $connectionId and board_id = $boardId)
select i.origin,
    domain_id('jira:JiraIssue', i.connection_id, i.issue_id) as id,
    regexp_replace(str(i.self), '/rest/(agile/1\.0|api/[^/]+)/issue.*$', '') || '/browse/' || str(i.issue_key) as url,
    str(i.icon_url) as icon_url,
    str(i.issue_key) as issue_key,
    str(i.summary) as title,
    str(i.description) as description,
    str(i.epic_key) as epic_key,
    -- A subtask is one unless its type was given a standard type by the user.
    if(flag(i.subtask) and str(type_mappings($typeMappings)[str(i.type)]."standardType") = '', 'SUBTASK', str(i.std_type)) as type,
    str(i.type) as original_type,
    str(i.std_status) as status,
    str(i.status_name) as original_status,
    i.story_point,
    i.original_estimate_minutes,
    i.resolution_date,
    str(i.priority_name) as priority,
    '' as severity,
    '' as urgency,
    i.created as created_date,
    i.updated as updated_date,
    i.lead_time_minutes,
    i.spent_minutes as time_spent_minutes,
    num(i.remaining_estimate_minutes) as time_remaining_minutes,
    str(i.project_name) as original_project,
    str(i.components) as component,
    flag(i.subtask) as is_subtask,
    i.due_date,
    str(i.fix_versions) as fix_versions,
    domain_id_or_empty('jira:JiraAccount', i.connection_id, i.creator_account_id) as creator_id,
    str(i.creator_display_name) as creator_name,
    domain_id_or_empty('jira:JiraAccount', i.connection_id, i.assignee_account_id) as assignee_id,
    str(i.assignee_display_name) as assignee_name,
    domain_id_or_empty('jira:JiraIssue', i.connection_id, i.parent_id) as parent_issue_id
from _tool_jira_issues i
