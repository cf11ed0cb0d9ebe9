-- subtask: Convert Users
-- from: _tool_github_repo_accounts a
-- rows: accounts
with orgs as (
    select connection_id, account_id, left(string_agg(org_login, ',' order by org_id), 255) as names
    from _tool_github_account_orgs
    where connection_id = $connectionId
    group by all
)
select origin_of(coalesce(u._raw_data_id, a.origin.id), coalesce(u._raw_data_params, a.origin.params),
        coalesce(u._raw_data_table, a.origin."table"), coalesce(u._raw_data_remark, a.origin.remark)) as origin,
    domain_id('github:GithubAccount', a.connection_id, a.account_id) as id,
    str(u.email) as email,
    str(u.name) as full_name,
    str(a.login) as user_name,
    str(u.avatar_url) as avatar_url,
    str(o.names) as organization,
    0 as status
from _tool_github_repo_accounts a
left join _tool_github_accounts u on u.connection_id = a.connection_id and u.id = a.account_id
left join orgs o on o.connection_id = a.connection_id and o.account_id = a.account_id
where a.account_id > 0
