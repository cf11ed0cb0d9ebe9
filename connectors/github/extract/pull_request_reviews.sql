-- subtask: Extract PR Reviews
-- from: _raw_github_api_pull_request_reviews r
-- rows: _tool_github_pull_request_reviews
select r.origin,
    $connectionId as connection_id,
    num(r.j.id) as github_id,
    num(r.input.GithubId) as pull_request_id,
    str(r.j.body) as body,
    str(r.j.user.login) as author_username,
    num(r.j.user.id) as author_user_id,
    str(r.j.commit_id) as commit_sha,
    r.j.submitted_at as github_submit_at,
    str(r.j.state) as state
from _raw_github_api_pull_request_reviews r
where str(r.j.state) <> 'PENDING' and r.j.user is not null and not in_list($GITHUB_PR_EXCLUDELIST, r.j.user.login)
