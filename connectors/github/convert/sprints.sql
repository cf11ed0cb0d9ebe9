-- subtask: Convert Milestones
-- from: _tool_github_milestones m
-- rows: sprints
select m.origin,
    domain_id('github:GithubMilestone', m.connection_id, m.milestone_id) as id,
    str(m.title) as name,
    str(m.url) as url,
    str(m.state) as status,
    m.github_created_at as started_date,
    m.closed_at as ended_date,
    m.closed_at as completed_date,
    domain_id('github:GithubRepo', m.connection_id, m.repo_id) as original_board_id
from _tool_github_milestones m
semi join _tool_github_issues i on i.connection_id = m.connection_id and i.milestone_id = m.milestone_id
