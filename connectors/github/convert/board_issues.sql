-- subtask: Convert Issues
-- from: _tool_github_issues i
-- rows: board_issues
select i.origin,
    domain_id('github:GithubRepo', i.connection_id, i.repo_id) as board_id,
    domain_id('github:GithubIssue', i.connection_id, i.github_id) as issue_id
from _tool_github_issues i
