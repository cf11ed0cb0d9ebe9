-- subtask: extractWorklogs
-- from: _raw_jira_api_worklogs r
-- rows: _tool_jira_worklogs
-- after: embedded_worklogs
select r.origin,
    $connectionId as connection_id,
    num(r.j.issueId) as issue_id,
    str(r.j.id) as worklog_id,
    first_text(r.j.author.accountId, r.j.author.key, r.j.author.emailAddress) as author_id,
    first_text(r.j.updateAuthor.accountId, r.j.updateAuthor.key, r.j.updateAuthor.emailAddress) as update_author_id,
    str(r.j.timeSpent) as time_spent,
    num(r.j.timeSpentSeconds) as time_spent_seconds,
    r.j.updated as updated,
    r.j.started as started,
    r.input.update_time as issue_updated
from _raw_jira_api_worklogs r
