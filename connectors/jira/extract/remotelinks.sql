-- subtask: extractRemotelinks
-- from: _raw_jira_api_remotelinks r
-- rows: _tool_jira_remotelinks
select r.origin,
    $connectionId as connection_id,
    num(r.j.id) as remotelink_id,
    r.input.issue_id as issue_id,
    str(r.j.self) as self,
    str(r.j.object.title) as title,
    str(r.j.object.url) as url,
    r.input.update_time as issue_updated
from _raw_jira_api_remotelinks r
where $applicationType = ''
