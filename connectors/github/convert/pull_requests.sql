-- subtask: Convert Pull Requests
-- from: _tool_github_pull_requests p
-- rows: pull_requests
select p.origin,
    domain_id('github:GithubPullRequest', p.connection_id, p.github_id) as id,
    domain_id('github:GithubRepo', p.connection_id, p.repo_id) as base_repo_id,
    domain_id('github:GithubRepo', p.connection_id, num(p.head_repo_id)) as head_repo_id,
    case
        when p.state in ('open', 'OPEN') then 'OPEN'
        when p.state = 'MERGED' or p.state = 'closed' and (flag(p.merged) or p.merged_at is not null) then 'MERGED'
        else 'CLOSED'
    end as status,
    str(p.state) as original_status,
    str(p.title) as title,
    str(p.body) as description,
    str(p.url) as url,
    str(p.author_name) as author_name,
    domain_id_or_empty('github:GithubAccount', p.connection_id, p.author_id) as author_id,
    str(p.merged_by_name) as merged_by_name,
    domain_id_or_empty('github:GithubAccount', p.connection_id, p.merged_by_id) as merged_by_id,
    '' as parent_pr_id,
    num(p.number) as pull_request_key,
    p.github_created_at as created_date,
    p.merged_at as merged_date,
    p.closed_at as closed_date,
    str(p.type) as type,
    str(p.component) as component,
    str(p.merge_commit_sha) as merge_commit_sha,
    str(p.head_ref) as head_ref,
    str(p.base_ref) as base_ref,
    str(p.base_commit_sha) as base_commit_sha,
    str(p.head_commit_sha) as head_commit_sha,
    num(p.additions) as additions,
    num(p.deletions) as deletions,
    flag(p.is_draft) as is_draft
from _tool_github_pull_requests p
