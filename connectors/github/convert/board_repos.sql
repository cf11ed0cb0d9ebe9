-- subtask: Convert Repos
-- from: _tool_github_repos p
-- rows: board_repos
-- scope: p.connection_id = $connectionId and p.github_id = $githubId
select p.origin,
    domain_id('github:GithubRepo', p.connection_id, p.github_id) as board_id,
    domain_id('github:GithubRepo', p.connection_id, p.github_id) as repo_id
from _tool_github_repos p
