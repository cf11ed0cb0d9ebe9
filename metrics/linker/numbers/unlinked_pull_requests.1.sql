-- title: Unlinked pull requests
-- unit: percent
-- says: How many of the pull requests that were created in the range in the project's repositories have no linked issue.
-- rows:
select m.project_name, r.id, r.created_date as at, if(exists (select 1 from pull_request_issues i where i.pull_request_id = r.id), 0, 1)::double as value, r.title, r.url,
    r._raw_data_table as raw_table, r._raw_data_id as raw_id, r._raw_data_params as raw_params
from pull_requests r join project_mapping m on m."table" = 'repos' and m.row_id = r.base_repo_id
where of_project($project, m.project_name) and r.created_date >= $from and r.created_date < $to
-- value:
select project_name, 100 * sum(value) / count(*) as value, count(*) as pull_requests, sum(value)::bigint as unlinked from rows group by project_name
