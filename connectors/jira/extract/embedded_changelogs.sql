-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- rows: _tool_jira_issue_changelogs
select r.origin,
    $connectionId as connection_id,
    r.h.id as changelog_id,
    r.issue_id,
    first_text(r.h.author.accountId, r.h.author.key, r.h.author.emailAddress) as author_account_id,
    str(r.h.author.displayName) as author_display_name,
    flag(r.h.author.active) as author_active,
    r.h.created as created,
    if(r.size = 100, null, r.issue_updated) as issue_updated  -- a full list may be a part
from (
    select origin, j.id as issue_id, j.fields.updated as issue_updated, len(j.changelog.histories) as size, unnest(j.changelog.histories) as h
    from _raw_jira_api_issues
    where str(j.fields.created) <> ''
) r
-- A row that stands in the whole list, read because this one was cut off, belongs to that. (`not in`: an anti join would hash the histories.)
where coalesce(r.h.id not in (select changelog_id from _tool_jira_issue_changelogs
    where connection_id = $connectionId and _raw_data_table = '_raw_jira_api_issue_changelogs'), true)
