-- subtask: ConvertIssueStatusHistory
-- from: issues i
-- rows: issue_status_history
-- owns: if($scopeIds <> '', list_contains(text_list($scopeIds), t._raw_data_params), t._raw_data_params in (
--     select m.row_id from project_mapping m where m."table" = 'boards' and of_project($projectName, m.project_name)))
with traced as (
    select i.id, i.status, i.original_status, i.created_date, i._raw_data_table, i._raw_data_id, min(b.board_id) as board_id
    from issues i join board_issues b on b.issue_id = i.id
    where i.created_date is not null and if($scopeIds <> '', list_contains(text_list($scopeIds), b.board_id), b.board_id in (
        select m.row_id from project_mapping m where m."table" = 'boards' and of_project($projectName, m.project_name)))
    group by all
), changes as (
    select c.id, c.issue_id, c.created_date, c.from_value, c.original_from_value, c.to_value, c.original_to_value, c._raw_data_table, c._raw_data_id,
        row_number() over (partition by c.issue_id order by c.created_date, c.id) as n
    from issue_changelogs c
    where c.field_name = 'status' and c.created_date is not null and c.issue_id in (select id from traced)
), segments as (
    select t.id as issue_id, t.board_id, 0 as n, t.created_date as start_date, c.from_value as status, c.original_from_value as original_status,
        c._raw_data_table, c._raw_data_id
    from traced t join changes c on c.issue_id = t.id and c.n = 1
    union all
    select c.issue_id, t.board_id, c.n, c.created_date, nullif(c.to_value, ''), c.original_to_value, c._raw_data_table, c._raw_data_id
    from changes c join traced t on t.id = c.issue_id
    union all
    select t.id, t.board_id, 0, t.created_date, t.status, t.original_status, t._raw_data_table, t._raw_data_id
    from traced t where t.id not in (select issue_id from changes)
), closed as (
    -- A status without a standard one keeps that of the segment before.
    select *, last_value(status ignore nulls) over changes as known_status, lead(start_date) over changes as next_date,
        count(*) over (partition by issue_id) > 1 as changed
    from segments window changes as (partition by issue_id order by n)
)
select origin_of(_raw_data_id, board_id, _raw_data_table, '') as origin, issue_id, str(original_status) as original_status, start_date,
    str(known_status) as status,
    coalesce(next_date, now()::timestamp) as end_date,
    n = 0 as is_first_status,
    changed and next_date is null as is_current_status,
    greatest(minutes_between(start_date, coalesce(next_date, now()::timestamp)), 0) as status_time_minutes
from closed
