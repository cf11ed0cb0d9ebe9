-- subtask: extractIssueComments
-- from: _raw_jira_api_issue_comments r
-- rows: _tool_jira_issue_comments
-- after: embedded_comments
select r.origin,
    $connectionId as connection_id,
    r.input.issue_id as issue_id,
    str(r.j.id) as coment_id,
    str(r.j.self) as self,
    str(r.j.body) as body,
    first_text(r.j.author.accountId, r.j.author.key, r.j.author.emailAddress) as creator_account_id,
    str(r.j.author.displayName) as creator_display_name,
    r.j.updated as created,
    r.j.updated as updated,
    r.input.update_time as issue_updated
from _raw_jira_api_issue_comments r
