-- subtask: calculatePrCherryPick
-- from: pull_requests r
-- update: pull_requests set (parent_pr_id)
-- incremental: no
with named as (
    select r.id, r.base_repo_id, try_cast(regex_groups(nullif($GITHUB_PR_TITLE_PATTERN, ''), r.title)[1] as bigint) as parent_key
    from pull_requests r where $repoId <> '' and $projectName = '' and r.base_repo_id = $repoId
)
select n.id, min(p.id) as parent_pr_id
from named n join pull_requests p on p.base_repo_id = n.base_repo_id and p.pull_request_key = n.parent_key
group by n.id
