-- title: Failed deployment recovery time
-- unit: minutes
-- says: How long it takes to recover from a failed deployment (the key of the 2023 report): the median time from the end of the production deployment to the resolution of an
--     incident that it caused. Deployment and resolution both lie in the range; open incidents do not count.
-- level 2023: case when value < 60 then 'elite' when value < 1440 then 'high' when value < 7 * 1440 then 'medium' when value is not null then 'low' end
-- rows:
with deployments as (
    select m.project_name, c.cicd_deployment_id as id, max(c.finished_date) as finished, any_value(c.display_title) as title
    from cicd_deployment_commits c join project_mapping m on m."table" = 'cicd_scopes' and m.row_id = c.cicd_scope_id
    where of_project($project, m.project_name) and c.result = 'SUCCESS' and c.environment = 'PRODUCTION' and str(c.cicd_deployment_id) <> ''
    group by m.project_name, c.cicd_deployment_id
    having max(c.finished_date) >= $from and max(c.finished_date) < $to
)
select r.project_name, i.id, i.resolution_date as at, minutes_between(d.finished, i.resolution_date)::double as value, i.title, i.url,
    d.id as deployment_id, d.title as deployment, d.finished as deployed_at,
    i._raw_data_table as raw_table, i._raw_data_id as raw_id, i._raw_data_params as raw_params
from project_incident_deployment_relationships r
    join deployments d on d.project_name = r.project_name and d.id = r.deployment_id
    join incidents i on i.id = r.id
where i.resolution_date >= $from and i.resolution_date < $to
-- value:
select project_name, quantile_disc(value, 0.5) as value, count(*) as incidents from rows group by project_name
