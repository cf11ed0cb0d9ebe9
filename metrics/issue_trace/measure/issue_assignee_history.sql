-- subtask: ConvertIssueAssigneeHistory
-- from: issues i
-- rows: issue_assignee_history
-- owns: if($scopeIds <> '', list_contains(text_list($scopeIds), t._raw_data_params), t._raw_data_params in (
--     select m.row_id from project_mapping m where m."table" = 'boards' and of_project($projectName, m.project_name)))
with traced as (
    select i.id, i.assignee_id, i.created_date, i._raw_data_table, i._raw_data_id, min(b.board_id) as board_id
    from issues i join board_issues b on b.issue_id = i.id
    where i.created_date is not null and if($scopeIds <> '', list_contains(text_list($scopeIds), b.board_id), b.board_id in (
        select m.row_id from project_mapping m where m."table" = 'boards' and of_project($projectName, m.project_name)))
    group by all
), changes as (
    select c.issue_id, c.created_date, name_list(c.original_from_value) as before, name_list(c.original_to_value) as after,
        c._raw_data_table, c._raw_data_id, row_number() over (partition by c.issue_id order by c.created_date, c.id) as n
    from issue_changelogs c
    where c.field_name = 'assignee' and c.created_date is not null and c.issue_id in (select id from traced)
), events as (
    select t.id as issue_id, 0 as n, t.created_date as since, true as assigned, unnest([t.assignee_id]) as assignee, t._raw_data_table, t._raw_data_id
    from traced t where str(t.assignee_id) <> '' and t.id not in (select issue_id from changes)
    union all
    select c.issue_id, 0, t.created_date, true, unnest(c.before), c._raw_data_table, c._raw_data_id
    from changes c join traced t on t.id = c.issue_id where c.n = 1
    union all
    select c.issue_id, c.n, c.created_date, true, unnest(list_filter(c.after, lambda name: not list_contains(c.before, name))),
        c._raw_data_table, c._raw_data_id
    from changes c
    union all
    select c.issue_id, c.n, c.created_date, false, unnest(list_filter(c.before, lambda name: not list_contains(c.after, name))),
        c._raw_data_table, c._raw_data_id
    from changes c
), turns as (
    -- Who is assigned already is not assigned again, and who is not cannot be removed.
    select * from (select *, lag(assigned, 1, false) over (partition by issue_id, assignee order by n) as was_assigned from events)
    where assigned <> was_assigned
), segments as (
    select *, lead(since) over (partition by issue_id, assignee order by n) as until from turns
)
select origin_of(s._raw_data_id, t.board_id, s._raw_data_table, '') as origin, s.issue_id, s.assignee, s.since as start_date,
    coalesce(s.until, now()::timestamp) as end_date
from segments s join traced t on t.id = s.issue_id
where s.assigned
