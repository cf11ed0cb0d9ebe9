-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- children: _tool_jira_cut_lists by (connection_id, issue_id)
select r.origin, $connectionId as connection_id, r.j.id as issue_id,
    unnest(or_none(list_filter([
        if(r.j.changelog.total > len(r.j.changelog.histories), 'changelog', null),
        if(r.j.fields.worklog.total > len(r.j.fields.worklog.worklogs), 'worklog', null),
        if(r.j.fields.comment.total > len(r.j.fields.comment.comments), 'comment', null)
    ], lambda list: list is not null))) as list
from _raw_jira_api_issues r
where str(r.j.fields.created) <> ''
