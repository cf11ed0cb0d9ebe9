-- subtask: Extract PR Review Comments
-- from: _raw_github_api_pull_request_review_comments r
-- rows: _tool_github_pull_request_comments
-- new: _tool_github_pull_requests
select r.origin,
    $connectionId as connection_id,
    r.j.id as github_id,
    num(p.github_id) as pull_request_id,
    coalesce(r.j.body, 'null') as body,
    str(r.j.user.login) as author_username,
    num(r.j.user.id) as author_user_id,
    str(r.j.commit_id) as commit_sha,
    r.j.created_at as github_created_at,
    r.j.updated_at as github_updated_at,
    num(r.j.pull_request_review_id) as review_id,
    'DIFF' as type
from _raw_github_api_pull_request_review_comments r
left join _tool_github_pull_requests p
    on p.connection_id = $connectionId and p.repo_id = $githubId
    and p.number = try_cast(regexp_extract(r.j.pull_request_url, '/repos/' || $name || '/pulls/(\d+)', 1) as bigint)
where not in_list($GITHUB_PR_EXCLUDELIST, r.j.user.login)
