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
from (
    -- Of several items of one field the last counts.
    select origin, j.id as changelog_id, unnest(case when len(j.items) < 2 then j.items else list_filter(j.items,
        lambda item, n: not list_contains(list_transform(j.items[n + 1:], lambda later: str(later.field)), str(item.field))) end) as i
    from _raw_jira_api_issue_changelogs
) r
