-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- rows: _tool_jira_issue_comments
select r.origin,
    $connectionId as connection_id,
    r.issue_id,
    str(r.c.id) as coment_id,
    str(r.c.self) as self,
    str(r.c.body) as body,
    first_text(r.c.author.accountId, r.c.author.key, r.c.author.emailAddress) as creator_account_id,
    str(r.c.author.displayName) as creator_display_name,
    r.c.updated as created,  -- not the time of creation: as DevLake fills it
    r.c.updated as updated,
    r.issue_updated
from (
    select origin, j.id as issue_id, j.fields.updated as issue_updated, unnest(j.fields.comment.comments) as c
    from _raw_jira_api_issues
    where str(j.fields.created) <> ''
) r
-- A row that stands in the whole list, read because this one was cut off, belongs to that.
where (r.issue_id, str(r.c.id)) not in (select (issue_id, coment_id) from _tool_jira_issue_comments
    where connection_id = $connectionId and _raw_data_table = '_raw_jira_api_issue_comments')
