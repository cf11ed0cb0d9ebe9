-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- rows: _tool_jira_issue_changelog_items
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
    select origin, h.id as changelog_id, unnest(case when len(h.items) < 2 then h.items else list_filter(h.items,
        lambda item, n: not list_contains(list_transform(h.items[n + 1:], lambda later: str(later.field)), str(item.field))) end) as i
    from (select origin, unnest(j.changelog.histories) as h from _raw_jira_api_issues where str(j.fields.created) <> '')
) r
-- A row that stands in the whole list, read because this one was cut off, belongs to that.
where coalesce((r.changelog_id, str(r.i.field)) not in (select (changelog_id, field) from _tool_jira_issue_changelog_items
    where connection_id = $connectionId and _raw_data_table = '_raw_jira_api_issue_changelogs'), true)
