-- subtask: calculateDeploymentCommitsDiff
-- from: cicd_deployment_commits c
-- rows: _tool_refdiff_finished_commits_diffs
-- owns: $repoId = '' and exists (
--     select 1 from cicd_deployment_commits c join project_mapping m on m."table" = 'cicd_scopes' and m.row_id = c.cicd_scope_id
--     left join cicd_deployment_commits p on p.id = c.prev_success_deployment_commit_id
--     where c.commit_sha = t.new_commit_sha and str(p.commit_sha) = t.old_commit_sha and of_project($projectName, m.project_name))
with pairs as (
    select distinct m.project_name, c.commit_sha as new_sha, str(p.commit_sha) as old_sha
    from cicd_deployment_commits c
        join project_mapping m on m."table" = 'cicd_scopes' and m.row_id = c.cicd_scope_id
        left join cicd_deployment_commits p on p.id = c.prev_success_deployment_commit_id
    where $repoId = '' and c.commit_sha <> '' and of_project($projectName, m.project_name)
)
select distinct new_sha as new_commit_sha, old_sha as old_commit_sha from pairs
