-- subtask: Extract Tasks
-- from: _raw_sample_tasks r
-- rows: _tool_sample_tasks
select r.origin,
    $connectionId as connection_id,
    r.j.id as id,
    $projectId as project_id,
    str(r.j.title) as title,
    str(r.j.state) as state,
    str(array_to_string(r.j.labels, ',')) as labels,
    issue_type('', $issueTypeBug, '', r.j.labels) as type,
    str(r.j.url) as url,
    r.j.created_at as created_date,
    r.j.updated_at as updated_date,
    r.j.closed_at as closed_date
from _raw_sample_tasks r
