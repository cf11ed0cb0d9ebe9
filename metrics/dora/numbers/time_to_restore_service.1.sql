-- title: Time to restore service
-- unit: minutes
-- says: How long incidents last (the key of the 2021 report): the median time from the beginning to the resolution of the project's incidents that were resolved in the range. An
--     incident belongs to each project that has its scope, or a board on which its issue stands.
-- level 2021: case when value < 60 then 'elite' when value < 1440 then 'high' when value < 7 * 1440 then 'medium' when value is not null then 'low' end
-- rows:
with known as (
    select i.id, m.project_name from incidents i join project_mapping m on m."table" = i."table" and m.row_id = i.scope_id
    where of_project($project, m.project_name)
    union
    select i.id, m.project_name
    from incidents i join board_issues b on i."table" = 'boards' and b.issue_id = i.id join project_mapping m on m."table" = 'boards' and m.row_id = b.board_id
    where of_project($project, m.project_name)
)
select k.project_name, i.id, i.resolution_date as at, coalesce(i.lead_time_minutes, minutes_between(i.created_date, i.resolution_date))::double as value, i.title, i.url,
    i.created_date as began_at, i._raw_data_table as raw_table, i._raw_data_id as raw_id, i._raw_data_params as raw_params
from known k join incidents i on i.id = k.id
where i.resolution_date >= $from and i.resolution_date < $to
-- value:
select project_name, quantile_disc(value, 0.5) as value, count(*) as incidents from rows where value is not null group by project_name
