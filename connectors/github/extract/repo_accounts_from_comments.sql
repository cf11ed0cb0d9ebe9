-- subtask: Extract Comments
-- from: _raw_github_api_comments r
-- rows: _tool_github_repo_accounts
select r.origin, $connectionId as connection_id, num(r.j.user.id) as account_id, $githubId as repo_github_id, str(r.j.user.login) as login
from _raw_github_api_comments r
where num(r.j.id) <> 0 and r.j.user is not null and not in_list($GITHUB_PR_EXCLUDELIST, r.j.user.login)
