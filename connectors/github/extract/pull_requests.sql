-- subtask: Extract Pull Requests
-- from: _raw_github_api_pull_requests r
-- rows: _tool_github_pull_requests
select r.origin,
    $connectionId as connection_id,
    r.j.id as github_id,
    $githubId as repo_id,
    num(r.j.head.repo.id) as head_repo_id,
    num(r.j.number) as number,
    str(r.j.state) as state,
    str(r.j.title) as title,
    r.j.created_at as github_created_at,
    r.j.updated_at as github_updated_at,
    r.j.closed_at as closed_at,
    num(r.j.additions) as additions,
    num(r.j.deletions) as deletions,
    num(r.j.comments) as comments,
    num(r.j.commits) as commits,
    num(r.j.review_comments) as review_comments,
    flag(r.j.draft) as is_draft,
    flag(r.j.merged) as merged,
    r.j.merged_at as merged_at,
    coalesce(r.j.body, 'null') as body,  -- JSON text with its quotes and escapes, as DevLake keeps it
    last_match($prType, r.labels) as type,
    last_match($prComponent, r.labels) as component,
    str(r.j.merge_commit_sha) as merge_commit_sha,
    str(r.j.head.ref) as head_ref,
    str(r.j.base.ref) as base_ref,
    str(r.j.base.sha) as base_commit_sha,
    str(r.j.head.sha) as head_commit_sha,
    str(r.j.html_url) as url,
    str(r.j.user.login) as author_name,
    num(r.j.user.id) as author_id,
    str(r.j.merged_by.login) as merged_by_name,
    num(r.j.merged_by.id) as merged_by_id
from (select *, list_transform(coalesce(j.labels, []), lambda label: str(label.name)) as labels from _raw_github_api_pull_requests) r
where num(r.j.id) <> 0 and not in_list($GITHUB_PR_EXCLUDELIST, r.j.user.login)
