-- subtask: Convert PR Labels
-- from: _tool_github_pull_request_labels l
-- rows: pull_request_labels
-- scope: l.connection_id = $connectionId
--     and l.pull_id in (select github_id from _tool_github_pull_requests where connection_id = $connectionId and repo_id = $githubId)
select l.origin, domain_id('github:GithubPullRequest', l.connection_id, l.pull_id) as pull_request_id, l.label_name
from _tool_github_pull_request_labels l
