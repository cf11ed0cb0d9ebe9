-- subtask: Convert Reviews
-- from: _tool_github_reviewers v
-- rows: pull_request_reviewers
-- scope: v.connection_id = $connectionId
--     and v.pull_request_id in (select github_id from _tool_github_pull_requests where connection_id = $connectionId and repo_id = $githubId)
select v.origin,
    domain_id('github:GithubPullRequest', v.connection_id, v.pull_request_id) as pull_request_id,
    domain_id('github:GithubAccount', v.connection_id, v.reviewer_id) as reviewer_id,
    str(v.name) as name,
    str(v.username) as user_name
from _tool_github_reviewers v
