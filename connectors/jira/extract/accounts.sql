-- subtask: extractAccounts
-- from: _raw_jira_api_users r
-- rows: _tool_jira_accounts
-- after: accounts_of_issues, accounts_of_changelogs
select r.origin,
    $connectionId as connection_id,
    first_text(r.j.accountId, r.j.key, r.j.emailAddress) as account_id,
    str(r.j.accountType) as account_type,
    str(r.j.displayName) as name,
    str(r.j.emailAddress) as email,
    str(r.j.avatarUrls."48x48") as avatar_url,
    str(r.j.timeZone) as timezone
from _raw_jira_api_users r
where first_text(r.j.accountId, r.j.key, r.j.emailAddress) <> ''
