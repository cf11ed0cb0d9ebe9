-- subtask: Convert Issue Assignees
-- from: _tool_github_issue_assignees a
-- rows: issue_assignees
select a.origin,
    domain_id('github:GithubIssue', a.connection_id, a.issue_id) as issue_id,
    domain_id('github:GithubAccount', a.connection_id, a.assignee_id) as assignee_id,
    str(a.assignee_name) as assignee_name
from _tool_github_issue_assignees a
