-- subtask: generateDeployments
-- from: cicd_pipelines p
-- rows: cicd_deployments
-- owns: t.subtask_name = 'dora.generateDeployments' and if($scopeId <> '', t.cicd_scope_id = $scopeId, t.cicd_scope_id in (
--     select m.row_id from project_mapping m where m."table" = 'cicd_scopes' and of_project($projectName, m.project_name)))
with tasks as (
    select t.pipeline_id, bool_or(t.type = 'DEPLOYMENT') as deploys, list(t.environment) as environments
    from cicd_tasks t where t.result in ('SUCCESS', 'FAILURE') group by t.pipeline_id
)
select p.origin, p.id, p.cicd_scope_id, p.name, p.display_title, p.url, p.result, p.status, p.original_status, p.original_result,
    first_text(p.environment, highest_environment(t.environments)) as environment,
    p.created_date, p.queued_date, p.started_date, p.finished_date, num(p.duration_sec) as duration_sec, p.queued_duration_sec,
    'dora.generateDeployments' as subtask_name
from cicd_pipelines p left join tasks t on t.pipeline_id = p.id
where p.result in ('SUCCESS', 'FAILURE') and (p.type = 'DEPLOYMENT' or t.deploys)
    and if($scopeId <> '', p.cicd_scope_id = $scopeId, p.cicd_scope_id in (
        select m.row_id from project_mapping m where m."table" = 'cicd_scopes' and of_project($projectName, m.project_name)))
