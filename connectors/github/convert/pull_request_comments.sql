-- subtask: Convert PR Comments
-- from: _tool_github_pull_request_comments c
-- rows: pull_request_comments
-- scope: c.connection_id = $connectionId
--     and c.pull_request_id in (select github_id from _tool_github_pull_requests where connection_id = $connectionId and repo_id = $githubId)
select c.origin,
    domain_id('github:GithubPrComment', c.connection_id, c.github_id) as id,
    domain_id('github:GithubPullRequest', c.connection_id, c.pull_request_id) as pull_request_id,
    str(c.body) as body,
    domain_id('github:GithubAccount', c.connection_id, num(c.author_user_id)) as account_id,
    c.github_created_at as created_date,
    str(c.commit_sha) as commit_sha,
    if(c.type in ('DIFF', 'REVIEW', 'NORMAL'), c.type, '') as type,
    domain_id('github:GithubPrReview', c.connection_id, num(c.review_id)) as review_id,
    '' as status
from _tool_github_pull_request_comments c
