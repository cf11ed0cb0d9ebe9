-- subtask: convertIssueChangelogs
-- from: _tool_jira_issue_changelogs c
-- rows: issue_changelogs
-- static: _tool_jira_issue_changelog_items
-- scope: c.connection_id = $connectionId and c.issue_id in
--     (select issue_id from _tool_jira_board_issues where connection_id = $connectionId and board_id = $boardId)
with states as (
    select id, str(name) as name, issue_status(status_category, ['done'], ['new']) as status from _tool_jira_statuses where connection_id = $connectionId
),
user_fields as (
    select distinct name from _tool_jira_issue_fields where connection_id = $connectionId and schema_type = 'user'
    union
    select unnest(['assignee', 'reporter'])
)
select c.origin,
    domain_id('jira:JiraIssueChangelogItems', c.connection_id, c.changelog_id, i.field) as id,
    domain_id('jira:JiraIssue', c.connection_id, c.issue_id) as issue_id,
    domain_id('jira:JiraAccount', c.connection_id, str(c.author_account_id)) as author_id,
    str(c.author_display_name) as author_name,
    str(i.field_id) as field_id,
    i.field as field_name,
    case when i.field = 'Sprint' then domain_ids('jira:JiraSprint', c.connection_id, i.from_value)
        when u.name is not null and i.from_value <> '' then domain_id('jira:JiraAccount', c.connection_id, i.from_value)
        else coalesce(before.name, i.from_string, '') end as original_from_value,
    case when i.field = 'Sprint' then domain_ids('jira:JiraSprint', c.connection_id, i.to_value)
        when u.name is not null and i.to_value <> '' then domain_id('jira:JiraAccount', c.connection_id, i.to_value)
        else coalesce(later.name, i.to_string, '') end as original_to_value,
    str(before.status) as from_value,
    str(later.status) as to_value,
    c.created as created_date
from _tool_jira_issue_changelogs c
join _tool_jira_issue_changelog_items i on i.connection_id = c.connection_id and i.changelog_id = c.changelog_id
left join user_fields u on u.name = i.field and i.field not in ('Sprint', 'status')
left join states before on i.field = 'status' and before.id = i.from_value
left join states later on i.field = 'status' and later.id = i.to_value
