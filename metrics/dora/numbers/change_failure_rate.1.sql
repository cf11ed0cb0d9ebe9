-- title: Change failure rate
-- unit: percent
-- says: How many of the project's production deployments of the range were followed by an incident. An incident belongs to the last production deployment that
--     finished before the incident began; several incidents of one deployment are one failed deployment. A project from which no incidents can be known (no board, no
--     incident of its own) has no number.
-- level 2023: case when value <= 5 then 'elite' when value <= 10 then 'high' when value <= 15 then 'medium' when value is not null then 'low' end
-- level 2021: case when value <= 15 then 'elite' when value <= 20 then 'high' when value <= 30 then 'medium' when value is not null then 'low' end
-- rows:
with deployments as (
    select m.project_name, c.cicd_deployment_id as id, max(c.finished_date) as at, any_value(c.display_title) as title, any_value(c.url) as url,
        max(c._raw_data_table) as raw_table, max(c._raw_data_id) as raw_id, max(c._raw_data_params) as raw_params
    from cicd_deployment_commits c join project_mapping m on m."table" = 'cicd_scopes' and m.row_id = c.cicd_scope_id
    where of_project($project, m.project_name) and c.result = 'SUCCESS' and c.environment = 'PRODUCTION' and str(c.cicd_deployment_id) <> ''
    group by m.project_name, c.cicd_deployment_id
    having max(c.finished_date) >= $from and max(c.finished_date) < $to
), failures as (
    select r.project_name, r.deployment_id, string_agg(r.id, ' ' order by r.id) as incidents
    from project_incident_deployment_relationships r join incidents i on i.id = r.id
    where of_project($project, r.project_name)
    group by all
)
select d.project_name, d.id, d.at, if(f.incidents is null, 0, 1)::double as value, d.title, d.url, f.incidents, d.raw_table, d.raw_id, d.raw_params
from deployments d left join failures f on f.project_name = d.project_name and f.deployment_id = d.id
-- value:
select r.project_name, 100 * sum(r.value) / count(*) as value, count(*) as deployments, sum(r.value)::bigint as failed
from rows r
where exists (select 1 from project_mapping m where m.project_name = r.project_name and m."table" = 'boards')
    or exists (select 1 from project_incident_deployment_relationships i where i.project_name = r.project_name)
    or exists (select 1 from incidents i join project_mapping m on m."table" = i."table" and m.row_id = i.scope_id where m.project_name = r.project_name)
group by r.project_name
