-- title: Deployment frequency
-- unit: days a week
-- says: On how many days a week the project deploys to production. Counted are the days with at least one successful production deployment, per calendar
--     week (from Monday), per month and per half year of the range, with those in which there is none; of each the median. A week and a month that the
--     range cuts count as they are. A deployment is all its commits; it counts on the day on which the last of them finished (UTC). Half years go back from the
--     range's last month. A project that never deployed has no number.
-- level 2023: case when week >= 5 then 'elite' when week >= 1 then 'high' when month >= 1 then 'medium' when value is not null then 'low' end
-- level 2021: case when week >= 5 then 'elite' when month >= 1 then 'high' when half_year >= 1 then 'medium' when value is not null then 'low' end
-- rows:
select m.project_name, c.cicd_deployment_id as id, max(c.finished_date) as at, null::double as value,
    any_value(c.display_title) as title, any_value(c.url) as url, any_value(c.commit_sha) as commit_sha,
    max(c._raw_data_table) as raw_table, max(c._raw_data_id) as raw_id, max(c._raw_data_params) as raw_params
from cicd_deployment_commits c join project_mapping m on m."table" = 'cicd_scopes' and m.row_id = c.cicd_scope_id
where of_project($project, m.project_name) and c.result = 'SUCCESS' and c.environment = 'PRODUCTION' and str(c.cicd_deployment_id) <> ''
group by m.project_name, c.cicd_deployment_id
having max(c.finished_date) >= $from and max(c.finished_date) < $to
-- value:
with projects as (
    select distinct m.project_name
    from cicd_deployment_commits c join project_mapping m on m."table" = 'cicd_scopes' and m.row_id = c.cicd_scope_id
    where of_project($project, m.project_name) and c.result = 'SUCCESS' and c.environment = 'PRODUCTION' and c.finished_date < $to
), days as (
    select distinct r.project_name, cast(r.at as date) as day from rows r
), weeks as (
    select p.project_name, w.week, count(d.day) as days
    from projects p
        cross join (select unnest(generate_series(date_trunc('week', $from), $to - interval 1 millisecond, interval 1 week))::date as week) w
        left join days d on d.project_name = p.project_name and date_trunc('week', d.day) = w.week
    group by all
), months as (
    select p.project_name, w.month, count(d.day) as days
    from projects p
        cross join (select unnest(generate_series(date_trunc('month', $from), $to - interval 1 millisecond, interval 1 month))::date as month) w
        left join days d on d.project_name = p.project_name and date_trunc('month', d.day) = w.month
    group by all
), half_years as (
    select project_name, date_diff('month', month, cast($to - interval 1 millisecond as date)) // 6 as half_year, sum(days) as days from months group by all
), by_month as (
    select project_name, quantile_disc(days, 0.5) as month from months group by project_name
), by_half_year as (
    select project_name, list_sort(list(days))[count(*) // 2 + 1] as half_year from half_years group by project_name
), by_week as (
    select project_name, quantile_disc(days, 0.5) as week from weeks group by project_name
)
select project_name, w.week as value, w.week, m.month, h.half_year, (select count(*) from rows r where r.project_name = w.project_name) as deployments
from by_week w join by_month m using (project_name) join by_half_year h using (project_name)
