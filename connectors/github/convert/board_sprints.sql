-- subtask: Convert Milestones
-- from: _tool_github_milestones m
-- rows: board_sprints
select m.origin,
    domain_id('github:GithubRepo', m.connection_id, m.repo_id) as board_id,
    domain_id('github:GithubMilestone', m.connection_id, m.milestone_id) as sprint_id
from _tool_github_milestones m
semi join _tool_github_issues i on i.connection_id = m.connection_id and i.milestone_id = m.milestone_id
