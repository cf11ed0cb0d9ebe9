-- subtask: extractIssueChangelogs
-- from: _raw_jira_api_issue_changelogs r
-- rows: _tool_jira_accounts
-- static: _tool_jira_issue_fields, _tool_jira_accounts
with named as (
    select origin, first_text(j.author.accountId, j.author.key, j.author.emailAddress) as account_id, str(j.author.accountType) as account_type,
        str(j.author.displayName) as name, str(j.author.emailAddress) as email, str(j.author.avatarUrls."48x48") as avatar_url,
        str(j.author.timeZone) as timezone
    from _raw_jira_api_issue_changelogs
    union all
    select i.origin, unnest([str(i.item."from"), str(i.item."to")]), '', '', '', '', ''
    from (select origin, unnest(j.items) as item from _raw_jira_api_issue_changelogs) i
    where i.item.field in ('assignee', 'reporter')
        or i.item.field in (select name from _tool_jira_issue_fields where connection_id = $connectionId and schema_type = 'user')
)
select max(n.origin) as origin, $connectionId as connection_id, n.account_id, unnest(max({'named': n.name <> '', 'id': n.origin.id,
    'row': {'account_type': n.account_type, 'name': n.name, 'email': n.email, 'avatar_url': n.avatar_url, 'timezone': n.timezone}})."row")
from named n
anti join _tool_jira_accounts a
    on a.connection_id = $connectionId and a.account_id = n.account_id
    and (a._raw_data_table = '_raw_jira_api_users' or (n.name = '' and a.name <> ''))
where n.account_id <> ''
group by n.account_id
