-- subtask: Extract User Org
-- from: _raw_github_api_account_orgs r
-- children: _tool_github_account_orgs by (connection_id, account_id)
select r.origin, $connectionId as connection_id, r.account_id, r.org.id as org_id, str(r.org.login) as org_login
from (select origin, num(input.AccountId) as account_id, unnest(or_none(j)) as org from _raw_github_api_account_orgs) r
