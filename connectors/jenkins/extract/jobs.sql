-- subtask: extractApiJobs
-- from: _raw_jenkins_api_jobs r
-- rows: _tool_jenkins_jobs

-- The jobs of a multi-branch scope. A job that is a scope itself has its row.
select r.origin,
    $connectionId as connection_id,
    0 as scope_config_id,
    r.j.fullName as full_name,
    str(r.j.name) as name,
    replace(str(r.j.url), $endpoint, '') as path,
    str(r.j._class) as class,
    str(r.j.color) as color,
    '' as base,
    str(r.j.url) as url,
    str(r.j.description) as description,
    left(str(r.j.url) || str(r.j._class), 255) as primary_view
from _raw_jenkins_api_jobs r
where r.j.fullName <> $jobFullName
