-- subtask: extractIssueFields
-- from: _raw_jira_api_issue_fields r
-- rows: _tool_jira_issue_fields
select r.origin,
    $connectionId as connection_id,
    $boardId as board_id,
    r.j.id as id,
    str(r.j.name) as name,
    flag(r.j.custom) as custom,
    flag(r.j.orderable) as orderable,
    flag(r.j.navigable) as navigable,
    flag(r.j.searchable) as searchable,
    str(r.j.schema.type) as schema_type,
    str(r.j.schema.items) as schema_items,
    str(r.j.schema.custom) as schema_custom,
    num(r.j.schema.customId) as schema_custom_id,
    str(r.j.schema.system) as sche_custom_system
from _raw_jira_api_issue_fields r
