-- subtask: Convert Milestones
-- from: _tool_github_milestones m
-- rows: sprint_issues
select m.origin,
    domain_id('github:GithubMilestone', m.connection_id, m.milestone_id) as sprint_id,
    domain_id('github:GithubIssue', i.connection_id, i.github_id) as issue_id
from _tool_github_milestones m
join _tool_github_issues i on i.connection_id = m.connection_id and i.milestone_id = m.milestone_id
