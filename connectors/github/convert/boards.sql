-- subtask: Convert Repos
-- from: _tool_github_repos p
-- rows: boards
-- scope: p.connection_id = $connectionId and p.github_id = $githubId
select p.origin,
    domain_id('github:GithubRepo', p.connection_id, p.github_id) as id,
    str(p.full_name) as name,
    str(p.description) as description,
    str(p.html_url) || '/issues' as url,
    p.created_date,
    '' as type
from _tool_github_repos p
