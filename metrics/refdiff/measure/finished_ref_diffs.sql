-- subtask: calculateCommitsDiff
-- from: ref_commits r
-- rows: _tool_refdiff_finished_commits_diffs
-- incremental: no
select distinct r.new_commit_sha, r.old_commit_sha
from ref_commits r where $repoId <> '' and $projectName = '' and starts_with(r.new_ref_id, $repoId || ':')
