-- subtask: convertSprintIssues
-- from: _tool_jira_sprint_issues s
-- rows: sprint_issues
-- scope: s.connection_id = $connectionId and coalesce(s._raw_data_params, $params) = $params
select s.origin, domain_id('jira:JiraSprint', s.connection_id, s.sprint_id) as sprint_id, domain_id('jira:JiraIssue', s.connection_id, s.issue_id) as issue_id
from _tool_jira_sprint_issues s
