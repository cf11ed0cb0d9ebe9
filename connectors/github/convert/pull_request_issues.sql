-- subtask: Convert PR Issues
-- from: _tool_github_pull_request_issues l
-- rows: pull_request_issues
-- scope: l.connection_id = $connectionId
--     and l.pull_request_id in (select github_id from _tool_github_pull_requests where connection_id = $connectionId and repo_id = $githubId)
select l.origin,
    domain_id('github:GithubPullRequest', l.connection_id, l.pull_request_id) as pull_request_id,
    domain_id('github:GithubIssue', l.connection_id, l.issue_id) as issue_id,
    num(l.pull_request_number) as pull_request_key,
    num(l.issue_number)::varchar as issue_key
from _tool_github_pull_request_issues l
