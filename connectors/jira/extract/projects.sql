-- subtask: extractProjects
-- from: _raw_jira_api_projects r
-- rows: _tool_jira_projects
select r.origin, $connectionId as connection_id, r.j.id as id, str(r.j.key) as project_key, str(r.j.name) as name
from _raw_jira_api_projects r
