-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- rows: _tool_jira_issues
-- new: _tool_jira_issue_types
with read as (
    select r.origin, r.j, r.j.fields as f, str(t.name) as type, utc_time(r.j.fields.created) as created_at,
        type_mappings($typeMappings)[str(t.name)] as mapped,
        json_extract(r.j.fields."*", '/' || $storyPointField) as points,
        r.j.fields."*" ->> ('/' || if($dueDateField = '', 'duedate', $dueDateField)) as due
    from _raw_jira_api_issues r
    left join _tool_jira_issue_types t on t.connection_id = $connectionId and t.id = r.j.fields.issuetype.id
    where str(r.j.fields.created) <> ''
)
select r.origin,
    $connectionId as connection_id,
    r.j.id as issue_id,
    num(r.f.project.id) as project_id,
    str(r.f.project.name) as project_name,
    str(r.j.self) as self,
    str(r.f.issuetype.iconUrl) as icon_url,
    str(r.j.key) as issue_key,
    str(r.f.summary) as summary,
    str(r.f.description) as description,
    r.type,
    str(r.f.epic.key) as epic_key,
    str(r.f.status.name) as status_name,
    str(r.f.status.statusCategory.key) as status_key,
    case when $storyPointField = '' or r.points is null then 0
        when json_type(r.points) = 'VARCHAR' then num(try_cast(r.points ->> '$' as float)::double)  -- 32 bits, as DevLake reads a text
        else num(try_cast(r.points as double)) end as story_point,
    r.f.timeoriginalestimate // 60 as original_estimate_minutes,
    num(r.f.aggregatetimeestimate // 60) as aggregate_estimate_minutes,
    num(r.f.timetracking.remainingEstimateSeconds // 60) as remaining_estimate_minutes,
    first_text(r.f.creator.accountId, r.f.creator.key, r.f.creator.emailAddress) as creator_account_id,
    '' as creator_account_type,
    str(r.f.creator.displayName) as creator_display_name,
    first_text(r.f.assignee.accountId, r.f.assignee.key, r.f.assignee.emailAddress) as assignee_account_id,
    '' as assignee_account_type,
    str(r.f.assignee.displayName) as assignee_display_name,
    num(r.f.priority.id) as priority_id,
    str(r.f.priority.name) as priority_name,
    num(r.f.parent.id) as parent_id,
    str(r.f.parent.key) as parent_key,
    num(r.f.sprint.id) as sprint_id,
    str(r.f.sprint.name) as sprint_name,
    r.f.resolutiondate as resolution_date,
    r.created_at as created,
    r.f.updated as updated,
    r.f.timespent // 60 as spent_minutes,
    num(r.f.comment.total) as comment_total,
    -- whole seconds on both sides; a resolution before the creation counts as none
    greatest(minutes_between(date_trunc('second', r.created_at), date_trunc('second', r.f.resolutiondate)),
        if(r.f.resolutiondate is null, null, 0)) as lead_time_minutes,
    coalesce(nullif(upper(r.mapped."standardType"), ''), upper(r.type)) as std_type,
    case when r.mapped."statusMappings"[str(r.f.status.statusCategory.key)] is not null
            then str(r.mapped."statusMappings"[str(r.f.status.statusCategory.key)]."standardStatus")
        else issue_status(r.f.status.statusCategory.key, ['done'], ['new']) end as std_status,
    str(array_to_string(list_transform(r.f.components, lambda c: str(c.name)), ',')) as components,
    flag(r.f.issuetype.subtask) as subtask,
    num(r.j.changelog.total) as changelog_total,
    num(r.f.worklog.total) as worklog_total,
    time_like(r.due, r.f.created) as due_date,
    str(array_to_string(list_transform(r.f.fixVersions, lambda v: str(v.name)), ',')) as fix_versions
from read r
