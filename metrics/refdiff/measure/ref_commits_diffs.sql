-- subtask: calculateCommitsDiff
-- from: ref_commits r
-- rows: commits_diffs
-- owns: $repoId <> '' and $projectName = '' and exists (select 1 from ref_commits r where starts_with(r.new_ref_id, $repoId || ':')
--     and r.new_commit_sha = t.new_commit_sha and r.old_commit_sha = t.old_commit_sha)
with pairs as (
    select distinct r.new_commit_sha as new_sha, r.old_commit_sha as old_sha
    from ref_commits r where $repoId <> '' and $projectName = '' and starts_with(r.new_ref_id, $repoId || ':')
), wanted as (
    select list(new_sha) as ends, list(old_sha) as bases from pairs having count(*) > 0
), graph as (
    select list(e.commit_sha) as children, list(e.parent_commit_sha) as parents
    from commit_parents e join repo_commits c on c.commit_sha = e.commit_sha
    where c.repo_id = $repoId and e.parent_commit_sha <> ''
), found as (
    select w.ends, w.bases, unnest(graph_difference(coalesce(g.children, []), coalesce(g.parents, []), w.ends, w.bases)) as f from wanted w, graph g
)
select ends[f.pair] as new_commit_sha, bases[f.pair] as old_commit_sha, f.node as commit_sha, f.n as sorting_index from found
