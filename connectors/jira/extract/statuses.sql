-- subtask: extractStatus
-- from: _raw_jira_api_status r
-- rows: _tool_jira_statuses
select r.origin,
    $connectionId as connection_id,
    r.j.id as id,
    str(r.j.name) as name,
    str(r.j.self) as self,
    str(r.j.statusCategory.key) as status_category
from _raw_jira_api_status r
where r.j.scope is null  -- a status of one team-managed project
