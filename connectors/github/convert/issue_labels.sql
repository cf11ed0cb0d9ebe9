-- subtask: Convert Issue Labels
-- from: _tool_github_issue_labels l
-- rows: issue_labels
-- scope: l.connection_id = $connectionId
--     and l.issue_id in (select github_id from _tool_github_issues where connection_id = $connectionId and repo_id = $githubId)
select l.origin, domain_id('github:GithubIssue', l.connection_id, l.issue_id) as issue_id, l.label_name
from _tool_github_issue_labels l
