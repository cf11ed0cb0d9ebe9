-- subtask: extractIssueChangelogs
-- from: _raw_jira_api_issue_changelogs r
-- rows: _tool_jira_issue_changelogs
-- after: embedded_changelogs
select r.origin,
    $connectionId as connection_id,
    r.j.id as changelog_id,
    r.input.issue_id as issue_id,
    first_text(r.j.author.accountId, r.j.author.key, r.j.author.emailAddress) as author_account_id,
    str(r.j.author.displayName) as author_display_name,
    flag(r.j.author.active) as author_active,
    r.j.created as created,
    r.input.update_time as issue_updated
from _raw_jira_api_issue_changelogs r
