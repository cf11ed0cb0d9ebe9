-- subtask: extractIssues | extractEpics
-- from: _raw_jira_api_issues | _raw_jira_api_epics r
-- rows: _tool_jira_accounts
-- static: _tool_jira_issue_fields, _tool_jira_accounts
with histories as (
    select origin, unnest(j.changelog.histories) as h from _raw_jira_api_issues where str(j.fields.created) <> ''
),
people as (
    select origin, unnest([j.fields.creator, j.fields.reporter, j.fields.assignee]) as a from _raw_jira_api_issues where str(j.fields.created) <> ''
    union all
    select origin, h.author from histories
),
named as (
    select origin, first_text(a.accountId, a.key, a.emailAddress) as account_id, str(a.accountType) as account_type, str(a.displayName) as name,
        str(a.emailAddress) as email, str(a.avatarUrls."48x48") as avatar_url, str(a.timeZone) as timezone
    from people
    union all
    select i.origin, unnest([str(i.item."from"), str(i.item."to")]), '', '', '', '', ''
    from (select origin, unnest(h.items) as item from histories) i
    where i.item.field in ('assignee', 'reporter')
        or i.item.field in (select name from _tool_jira_issue_fields where connection_id = $connectionId and schema_type = 'user')
)
-- Whoever is only named by an id gives way to whoever has a name, and both to what the user's own record says.
select max(n.origin) as origin, $connectionId as connection_id, n.account_id, unnest(max({'named': n.name <> '', 'id': n.origin.id,
    'row': {'account_type': n.account_type, 'name': n.name, 'email': n.email, 'avatar_url': n.avatar_url, 'timezone': n.timezone}})."row")
from named n
anti join _tool_jira_accounts a
    on a.connection_id = $connectionId and a.account_id = n.account_id
    and (a._raw_data_table = '_raw_jira_api_users' or (n.name = '' and a.name <> ''))
where n.account_id <> ''
group by n.account_id
