-- subtask: extractIssueType
-- from: _raw_jira_api_issue_types r
-- rows: _tool_jira_issue_types
select r.origin,
    $connectionId as connection_id,
    str(r.j.self) as self,
    r.j.id as id,
    str(r.j.description) as description,
    str(r.j.iconUrl) as icon_url,
    str(r.j.name) as name,
    str(r.j.untranslatedName) as untranslated_name,
    flag(r.j.subtask) as subtask,
    num(r.j.avatarId) as avatar_id,
    num(r.j.hierarchyLevel) as hierarchy_level
from _raw_jira_api_issue_types r
