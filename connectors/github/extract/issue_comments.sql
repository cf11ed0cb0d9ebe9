-- subtask: Extract Comments
-- from: _raw_github_api_comments r
-- rows: _tool_github_issue_comments
-- new: _tool_github_issues
select r.origin,
    $connectionId as connection_id,
    r.j.id as github_id,
    i.github_id as issue_id,
    coalesce(r.j.body, 'null') as body,
    str(r.j.user.login) as author_username,
    num(r.j.user.id) as author_user_id,
    r.j.created_at as github_created_at,
    r.j.updated_at as github_updated_at
from _raw_github_api_comments r
join _tool_github_issues i
    on i.connection_id = $connectionId and i.repo_id = $githubId
    and i.number = try_cast(regexp_extract(r.j.issue_url, '.*/issues/(\d+)', 1) as bigint)
where num(r.j.id) <> 0 and not in_list($GITHUB_PR_EXCLUDELIST, r.j.user.login)
