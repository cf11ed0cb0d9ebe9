-- subtask: calculateIssuesDiff
-- from: ref_commits r
-- rows: refs_issues_diffs
-- owns: $repoId <> '' and $projectName = '' and starts_with(t.new_ref_id, $repoId || ':')
with commits as (
    select c.pull_request_id, c.commit_sha from pull_request_commits c join pull_requests p on p.id = c.pull_request_id where p.base_repo_id = $repoId
    union
    select p.id, p.merge_commit_sha from pull_requests p where p.base_repo_id = $repoId and p.merge_commit_sha <> ''
)
select max(origin_of(l._raw_data_id, l._raw_data_params, l._raw_data_table, l._raw_data_remark)) as origin, r.new_ref_id, r.old_ref_id,
    r.new_commit_sha as new_ref_commit_sha, r.old_commit_sha as old_ref_commit_sha, l.issue_id, max(l.issue_key) as issue_number
from ref_commits r join commits_diffs d on d.new_commit_sha = r.new_commit_sha and d.old_commit_sha = r.old_commit_sha
    join commits c on c.commit_sha = d.commit_sha join pull_request_issues l on l.pull_request_id = c.pull_request_id
where $repoId <> '' and $projectName = '' and starts_with(r.new_ref_id, $repoId || ':') and try_cast(l.issue_key as bigint) > 0
group by r.new_ref_id, r.old_ref_id, r.new_commit_sha, r.old_commit_sha, l.issue_id
