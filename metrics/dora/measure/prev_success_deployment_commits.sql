-- subtask: enrichPrevSuccessDeploymentCommits
-- from: cicd_deployment_commits c
-- update: cicd_deployment_commits set (prev_success_deployment_commit_id)
-- incremental: no
with project_commits as (
    select c.*, c.result = 'SUCCESS' and c.finished_date is not null and str(c.environment) <> '' and str(c.repo_url) <> '' as counts
    from cicd_deployment_commits c
    where if($scopeId <> '', c.cicd_scope_id = $scopeId, c.cicd_scope_id in (
        select m.row_id from project_mapping m where m."table" = 'cicd_scopes' and of_project($projectName, m.project_name)))
), deployments as (
    -- Several commits of one deployment share its predecessor.
    select cicd_scope_id, repo_url, environment, id, max(finished_date) as finished, max(started_date) as started
    from project_commits where counts group by all
), chained as (
    select *, lag(id, 1, '') over (partition by cicd_scope_id, repo_url, environment order by finished, started nulls first, id) as previous
    from deployments
)
select c.id, c.commit_sha, d.previous as prev_success_deployment_commit_id
-- A condition on `c` alone in the join would make DuckDB compare each with each.
from project_commits c left join chained d on d.id = if(c.counts, c.id, null) and d.repo_url = c.repo_url and d.environment = c.environment
    and d.cicd_scope_id = c.cicd_scope_id
