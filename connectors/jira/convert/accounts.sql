-- subtask: convertAccounts
-- from: _tool_jira_accounts a
-- rows: accounts
-- scope: a.connection_id = $connectionId
select a.origin,
    domain_id('jira:JiraAccount', a.connection_id, a.account_id) as id,
    str(a.email) as email,
    str(a.name) as full_name,
    str(a.name) as user_name,
    str(a.avatar_url) as avatar_url,
    '' as organization,
    0 as status
from _tool_jira_accounts a
where a.account_id <> ''
