-- subtask: Extract Issues
-- from: _raw_github_api_issues r
-- rows: _tool_github_repo_accounts
select r.origin, $connectionId as connection_id, num(r.a.id) as account_id, $githubId as repo_github_id, str(r.a.login) as login
from (
    select origin, unnest([j.assignee, j.user]) as a
    from _raw_github_api_issues
    where num(j.id) <> 0 and str(j.pull_request.url) = ''
) r
where r.a is not null
