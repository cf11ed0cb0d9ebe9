-- subtask: Extract Comments
-- from: _raw_github_api_comments r
-- rows: _tool_github_pull_request_comments
-- new: _tool_github_issues, _tool_github_pull_requests
with numbered as (
    select *, try_cast(regexp_extract(j.issue_url, '.*/issues/(\d+)', 1) as bigint) as number
    from _raw_github_api_comments
    where num(j.id) <> 0 and not in_list($GITHUB_PR_EXCLUDELIST, j.user.login)
)
select r.origin,
    $connectionId as connection_id,
    r.j.id as github_id,
    num(p.github_id) as pull_request_id,
    coalesce(r.j.body, 'null') as body,
    str(r.j.user.login) as author_username,
    num(r.j.user.id) as author_user_id,
    '' as commit_sha,
    r.j.created_at as github_created_at,
    r.j.updated_at as github_updated_at,
    0 as review_id,
    'NORMAL' as type
from numbered r
anti join _tool_github_issues i on i.connection_id = $connectionId and i.repo_id = $githubId and i.number = r.number
left join _tool_github_pull_requests p on p.connection_id = $connectionId and p.repo_id = $githubId and p.number = r.number
where r.number is not null
