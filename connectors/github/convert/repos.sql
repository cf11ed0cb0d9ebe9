-- subtask: Convert Repos
-- from: _tool_github_repos p
-- rows: repos
-- scope: p.connection_id = $connectionId and p.github_id = $githubId
select p.origin,
    domain_id('github:GithubRepo', p.connection_id, p.github_id) as id,
    str(p.full_name) as name,
    str(p.html_url) as url,
    str(p.description) as description,
    '' as owner_id,
    str(p.language) as language,
    str(p.parent_html_url) as forked_from,
    p.created_date,
    p.updated_date,
    false as deleted
from _tool_github_repos p
