-- title: Pickup time
-- unit: minutes
-- says: From a pull request's creation to the first comment of somebody else.
--     The median over the pull requests that the project's deployments of the range brought to production, as in the lead time for changes; those of which this part is not
--     known are left out, and do not count as nothing.
-- rows:
select p.project_name, p.id, p.pr_deployed_date as at, p.pr_pickup_time::double as value, r.title, r.url,
    r._raw_data_table as raw_table, r._raw_data_id as raw_id, r._raw_data_params as raw_params
from project_pr_metrics p join pull_requests r on r.id = p.id
where of_project($project, p.project_name) and p.pr_deployed_date >= $from and p.pr_deployed_date < $to and p.pr_pickup_time is not null
-- value:
select project_name, quantile_disc(value, 0.5) as value, count(*) as pull_requests from rows group by project_name
