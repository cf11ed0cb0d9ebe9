-- subtask: Extract Users
-- from: _raw_github_api_accounts r
-- rows: _tool_github_accounts
select r.origin,
    $connectionId as connection_id,
    r.j.id as id,
    str(r.j.login) as login,
    str(r.j.name) as name,
    str(r.j.company) as company,
    str(r.j.email) as email,
    str(r.j.avatar_url) as avatar_url,
    str(r.j.url) as url,
    str(r.j.html_url) as html_url,
    str(r.j.type) as type
from _raw_github_api_accounts r
where num(r.j.id) <> 0
