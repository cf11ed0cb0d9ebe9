-- subtask: ConvertIssuesToIncidents
-- from: issues i
-- rows: incident_assignees
-- owns: t.incident_id in (select b.issue_id from board_issues b join project_mapping m on m."table" = 'boards' and m.row_id = b.board_id
--     where of_project($projectName, m.project_name))
with assignees as (
    select i.id as incident_id, str(i.assignee_id) as assignee_id, str(i.assignee_name) as assignee_name, i.origin, 0 as rank from issues i
    union all
    select a.issue_id, a.assignee_id, a.assignee_name, i.origin, 1 from issue_assignees a join issues i on i.id = a.issue_id
)
select any_value(a.origin) as origin, a.incident_id, a.assignee_id, arg_max(a.assignee_name, a.rank) as assignee_name
from assignees a join issues i on i.id = a.incident_id
where i.type = 'INCIDENT' and i.id in (
    select b.issue_id from board_issues b join project_mapping m on m."table" = 'boards' and m.row_id = b.board_id
    where of_project($projectName, m.project_name))
group by a.incident_id, a.assignee_id
