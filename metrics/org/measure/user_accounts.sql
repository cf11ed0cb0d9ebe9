-- subtask: connectUserAccountsExact
-- from: accounts a
-- rows: user_accounts
-- incremental: no
with matches as (
    select a.id, u.id as user_id, 1 as rank from accounts a join users u on u.email = a.email where a.email <> ''
    union all
    select a.id, u.id, 2 from accounts a join users u on u.name = a.full_name where a.full_name <> ''
    union all
    select a.id, u.id, 3 from accounts a join users u on u.name = a.user_name where a.user_name <> ''
), best as (
    -- Of several persons of one name or address always the same one.
    select id, arg_max(user_id, {'rank': -rank, 'user': user_id}) as user_id from matches group by id
)
select origin_of(0, '', '', '') as origin, b.id as account_id, b.user_id
from best b
where b.id not in (select account_id from user_accounts where str(user_id) <> '')
