-- subtask: Convert Repos
-- from: _tool_github_repos p
-- rows: cicd_scopes
-- scope: p.connection_id = $connectionId and p.github_id = $githubId
select p.origin,
    domain_id('github:GithubRepo', p.connection_id, p.github_id) as id,
    str(p.full_name) as name,
    str(p.description) as description,
    str(p.html_url) as url,
    p.created_date,
    p.updated_date
from _tool_github_repos p
