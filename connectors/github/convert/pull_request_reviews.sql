-- subtask: Convert PR Reviews
-- from: _tool_github_pull_request_reviews v
-- rows: pull_request_comments
-- scope: v.connection_id = $connectionId
--     and v.pull_request_id in (select github_id from _tool_github_pull_requests where connection_id = $connectionId and repo_id = $githubId)
select v.origin,
    domain_id('github:GithubPrReview', v.connection_id, v.github_id) as id,
    domain_id('github:GithubPullRequest', v.connection_id, v.pull_request_id) as pull_request_id,
    str(v.body) as body,
    domain_id('github:GithubAccount', v.connection_id, num(v.author_user_id)) as account_id,
    v.github_submit_at as created_date,
    str(v.commit_sha) as commit_sha,
    'REVIEW' as type,
    '' as review_id,
    str(v.state) as status
from _tool_github_pull_request_reviews v
