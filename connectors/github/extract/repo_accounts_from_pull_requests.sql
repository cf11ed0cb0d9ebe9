-- subtask: Extract Pull Requests
-- from: _raw_github_api_pull_requests r
-- rows: _tool_github_repo_accounts
select r.origin, $connectionId as connection_id, num(r.a.id) as account_id, $githubId as repo_github_id, str(r.a.login) as login
from (
    select origin, unnest([j.user, j.merged_by]) as a
    from _raw_github_api_pull_requests
    where num(j.id) <> 0 and not in_list($GITHUB_PR_EXCLUDELIST, j.user.login)
) r
where r.a is not null
