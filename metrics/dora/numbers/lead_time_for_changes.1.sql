-- title: Lead time for changes
-- unit: minutes
-- says: How long a change takes to production: the median cycle time of the pull requests that the project's deployments of the range brought there. The cycle is the time
--     from the first commit to the pull request, from there to the merge, and from the merge to the end of the first production deployment that holds it; a part that is not
--     known counts nothing. A pull request counts once in each project that it belongs to.
-- level 2023: case when value < 1440 then 'elite' when value < 7 * 1440 then 'high' when value < 30 * 1440 then 'medium' when value is not null then 'low' end
-- level 2021: case when value < 60 then 'elite' when value < 7 * 1440 then 'high' when value < 180 * 1440 then 'medium' when value is not null then 'low' end
-- rows:
select p.project_name, p.id, p.pr_deployed_date as at, p.pr_cycle_time::double as value, r.title, r.url, r.merge_commit_sha as commit_sha,
    r._raw_data_table as raw_table, r._raw_data_id as raw_id, r._raw_data_params as raw_params
from project_pr_metrics p join pull_requests r on r.id = p.id
where of_project($project, p.project_name) and p.pr_deployed_date >= $from and p.pr_deployed_date < $to
-- value:
select project_name, quantile_disc(value, 0.5) as value, count(*) as pull_requests from rows where value is not null group by project_name
