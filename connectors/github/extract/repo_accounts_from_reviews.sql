-- subtask: Extract PR Reviews
-- from: _raw_github_api_pull_request_reviews r
-- rows: _tool_github_repo_accounts
select r.origin, $connectionId as connection_id, num(r.j.user.id) as account_id, $githubId as repo_github_id, str(r.j.user.login) as login
from _raw_github_api_pull_request_reviews r
where str(r.j.state) <> 'PENDING' and r.j.user is not null and not in_list($GITHUB_PR_EXCLUDELIST, r.j.user.login)
