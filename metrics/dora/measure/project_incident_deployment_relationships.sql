-- subtask: ConnectIncidentToDeployment
-- from: incidents i
-- rows: project_incident_deployment_relationships
-- owns: of_project($projectName, t.project_name)
with project_incidents as (
    select i.origin, i.id, i.created_date, m.project_name
    from incidents i join project_mapping m on m."table" = i."table" and m.row_id = i.scope_id
    where of_project($projectName, m.project_name)
    union
    -- An incident names one board, but its issue may be on boards of other projects, too.
    select i.origin, i.id, i.created_date, m.project_name
    from incidents i join board_issues b on i."table" = 'boards' and b.issue_id = i.id
        join project_mapping m on m."table" = 'boards' and m.row_id = b.board_id
    where of_project($projectName, m.project_name)
), deployments as (
    select m.project_name, c.finished_date, max(str(c.cicd_deployment_id)) as deployment_id
    from cicd_deployment_commits c join project_mapping m on m."table" = 'cicd_scopes' and m.row_id = c.cicd_scope_id
    where c.result = 'SUCCESS' and c.environment = 'PRODUCTION' and c.finished_date is not null
        and of_project($projectName, m.project_name)
    group by all
)
select i.origin, i.id, i.project_name, d.deployment_id
from project_incidents i asof join deployments d on d.project_name = i.project_name and i.created_date > d.finished_date
where d.deployment_id <> ''
