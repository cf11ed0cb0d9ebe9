-- subtask: calculateDeploymentCommitsDiff
-- from: cicd_deployment_commits c
-- rows: commits_diffs
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
), wanted as (
    select project_name, list(new_sha) as ends, list(old_sha) as bases from pairs group by project_name
), edges as (
    select distinct m.project_name, e.commit_sha, e.parent_commit_sha
    from commit_parents e join repo_commits r on r.commit_sha = e.commit_sha join project_mapping m on m."table" = 'repos' and m.row_id = r.repo_id
    where $repoId = '' and e.parent_commit_sha <> '' and of_project($projectName, m.project_name)
), graphs as (
    select project_name, list(commit_sha) as children, list(parent_commit_sha) as parents from edges group by project_name
), found as (
    select w.ends, w.bases, unnest(graph_difference(coalesce(g.children, []), coalesce(g.parents, []), w.ends, w.bases)) as f
    from wanted w left join graphs g on g.project_name = w.project_name
)
select ends[f.pair] as new_commit_sha, bases[f.pair] as old_commit_sha, f.node as commit_sha, f.n as sorting_index from found
