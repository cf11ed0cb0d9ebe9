-- subtask: Extract Events
-- from: _raw_github_api_events r
-- rows: _tool_github_repo_accounts
select r.origin, $connectionId as connection_id, num(r.j.actor.id) as account_id, $githubId as repo_github_id, str(r.j.actor.login) as login
from _raw_github_api_events r
where num(r.j.id) <> 0 and r.j.actor is not null
