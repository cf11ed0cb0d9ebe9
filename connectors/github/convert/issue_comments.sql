-- subtask: Convert Issue Comments
-- from: _tool_github_issue_comments c
-- rows: issue_comments
-- scope: c.connection_id = $connectionId
--     and c.issue_id in (select github_id from _tool_github_issues where connection_id = $connectionId and repo_id = $githubId)
select c.origin,
    domain_id('github:GithubIssue', c.connection_id, c.github_id) as id,  -- an issue's id with the comment's number: as DevLake makes it
    domain_id('github:GithubIssue', c.connection_id, c.issue_id) as issue_id,
    str(c.body) as body,
    domain_id('github:GithubAccount', c.connection_id, num(c.author_user_id)) as account_id,
    c.github_created_at as created_date,
    c.github_updated_at as updated_date
from _tool_github_issue_comments c
