-- subtask: ConvertIssuesToIncidents
-- from: issues i
-- rows: incidents
-- owns: t."table" = 'boards' and t.scope_id in (
--     select m.row_id from project_mapping m where m."table" = 'boards' and of_project($projectName, m.project_name))
--     and (t.id in (select id from issues) or str(t._raw_data_table) in (select _raw_data_table from issues where _raw_data_table <> ''))
with boards as (
    -- An incident has room for one board: the first of those that projects look at, so that projects do not take turns.
    select b.issue_id, min(b.board_id) as board_id
    from board_issues b join project_mapping m on m."table" = 'boards' and m.row_id = b.board_id
    group by b.issue_id
    having bool_or(of_project($projectName, m.project_name))
)
select i.origin, i.id, i.url, i.issue_key as incident_key, i.title, i.description, i.status, i.original_status, i.resolution_date, i.created_date,
    i.updated_date, i.lead_time_minutes, i.original_estimate_minutes, i.time_spent_minutes, i.time_remaining_minutes, i.creator_id, i.creator_name,
    i.parent_issue_id as parent_incident_id, i.priority, i.severity, i.urgency, i.component, i.original_project,
    'boards' as "table", b.board_id as scope_id, i.assignee_id, i.assignee_name
from issues i join boards b on b.issue_id = i.id
where i.type = 'INCIDENT'
