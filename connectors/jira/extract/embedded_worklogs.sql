-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- rows: _tool_jira_worklogs
select r.origin,
    $connectionId as connection_id,
    num(r.w.issueId) as issue_id,
    str(r.w.id) as worklog_id,
    first_text(r.w.author.accountId, r.w.author.key, r.w.author.emailAddress) as author_id,
    first_text(r.w.updateAuthor.accountId, r.w.updateAuthor.key, r.w.updateAuthor.emailAddress) as update_author_id,
    str(r.w.timeSpent) as time_spent,
    num(r.w.timeSpentSeconds) as time_spent_seconds,
    r.w.updated as updated,
    r.w.started as started,
    r.issue_updated
from (
    select origin, j.fields.updated as issue_updated, unnest(j.fields.worklog.worklogs) as w
    from _raw_jira_api_issues
    where str(j.fields.created) <> ''
) r
-- A row that stands in the whole list, read because this one was cut off, belongs to that.
where (num(r.w.issueId), str(r.w.id)) not in (select (issue_id, worklog_id) from _tool_jira_worklogs
    where connection_id = $connectionId and _raw_data_table = '_raw_jira_api_worklogs')
