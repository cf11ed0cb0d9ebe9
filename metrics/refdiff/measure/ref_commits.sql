-- subtask: calculateCommitsDiff
-- from: refs r
-- rows: ref_commits
-- incremental: no
with tags as (
    select r.name, row_number() over (order by
        case when $tagsOrder = 'alphabetically' then r.id end,
        case when $tagsOrder = 'reverse alphabetically' then r.id end desc,
        case when $tagsOrder = 'semver' then version_parts(r.name) end,
        case when $tagsOrder = 'reverse semver' then version_parts(r.name) end desc,
        r.created_date desc, r.id) as n
    from refs r where r.repo_id = $repoId and matches($tagsPattern, r.name)
), pairs as (
    select a.name as new_name, b.name as old_name from tags a join tags b on b.n = a.n + 1 where b.n <= $tagsLimit
    union
    -- Keys in any case, as in DevLake.
    select coalesce(p ->> 'newRef', p ->> 'NewRef', p ->> 'newref'), coalesce(p ->> 'oldRef', p ->> 'OldRef', p ->> 'oldref')
    from (select unnest(from_json(coalesce(nullif($pairs, ''), '[]'), '["json"]')) as p)
)
select n.id as new_ref_id, o.id as old_ref_id, n.commit_sha as new_commit_sha, o.commit_sha as old_commit_sha
from pairs p join refs n on n.id = $repoId || ':' || p.new_name join refs o on o.id = $repoId || ':' || p.old_name
where $repoId <> '' and $projectName = '' and n.commit_sha <> o.commit_sha
