-- subtask: extractIssueChangelogs
-- from: _raw_jira_api_issue_changelogs r
-- rows: _tool_jira_issue_changelog_items
-- after: embedded_changelog_items
select r.origin,
    $connectionId as connection_id,
    r.changelog_id,
    str(r.i.field) as field,
    str(r.i.fieldtype) as field_type,
    str(r.i.fieldId) as field_id,
    str(r.i."from") as from_value,
    str(r.i.fromString) as from_string,
    str(r.i."to") as to_value,
    str(r.i.toString) as to_string,
    str(r.i.tmpFromAccountId) as tmp_from_account_id,
    str(r.i.tmpToAccountId) as tmp_to_account_id
from (select origin, j.id as changelog_id, unnest(j.items) as i from _raw_jira_api_issue_changelogs) r
