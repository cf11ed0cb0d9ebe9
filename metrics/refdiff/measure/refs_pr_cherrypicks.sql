-- subtask: calculatePrCherryPick
-- from: pull_requests r
-- rows: refs_pr_cherrypicks
-- owns: $repoId <> '' and $projectName = '' and t.parent_pr_id in (select p.id from pull_requests p where p.base_repo_id = $repoId)
select any_value(p.origin) as origin, p.id as parent_pr_id, p.pull_request_key as parent_pr_key,
    string_agg(r.base_ref, ',' order by r.base_ref, r.pull_request_key) as cherrypick_base_branches,
    string_agg(r.pull_request_key::varchar, ',' order by r.base_ref, r.pull_request_key) as cherrypick_pr_keys,
    any_value(o.name) as repo_name,
    any_value(o.url || '/pull/' || p.pull_request_key::varchar) as parent_pr_url
from pull_requests r join pull_requests p on p.id = r.parent_pr_id join repos o on o.id = p.base_repo_id
where $repoId <> '' and $projectName = '' and p.base_repo_id = $repoId and str(r.parent_pr_id) <> ''
group by p.id, p.pull_request_key
