-- subtask: generateDeploymentCommits
-- from: cicd_pipeline_commits c
-- rows: cicd_deployment_commits
-- owns: t.subtask_name = 'dora.generateDeploymentCommits' and if($scopeId <> '', t.cicd_scope_id = $scopeId, t.cicd_scope_id in (
--     select m.row_id from project_mapping m where m."table" = 'cicd_scopes' and of_project($projectName, m.project_name)))
with tasks as (
    select t.pipeline_id, bool_or(t.type = 'DEPLOYMENT') as deploys, list(t.environment) as environments
    from cicd_tasks t where t.result in ('SUCCESS', 'FAILURE') group by t.pipeline_id
)
select c.origin,
    c.pipeline_id || ':' || str(c.repo_url) as id,
    c.commit_sha,
    p.cicd_scope_id,
    p.id as cicd_deployment_id,
    p.name,
    c.display_title,
    c.url,
    p.result, p.status, p.original_status, p.original_result,
    first_text(p.environment, highest_environment(t.environments)) as environment,
    p.created_date,
    p.queued_date,
    coalesce(p.started_date, p.finished_date - to_seconds(trunc(p.duration_sec))) as started_date,
    p.finished_date, p.duration_sec, p.queued_duration_sec,
    c.commit_msg,
    c.branch as ref_name,
    c.repo_id, c.repo_url,
    'dora.generateDeploymentCommits' as subtask_name
from cicd_pipeline_commits c join cicd_pipelines p on p.id = c.pipeline_id left join tasks t on t.pipeline_id = p.id
where p.result in ('SUCCESS', 'FAILURE') and (p.type = 'DEPLOYMENT' or t.deploys)
    and if($scopeId <> '', p.cicd_scope_id = $scopeId, p.cicd_scope_id in (
        select m.row_id from project_mapping m where m."table" = 'cicd_scopes' and of_project($projectName, m.project_name)))
