-- subtask: Convert Tasks
-- from: _tool_sample_tasks t
-- rows: issues
select t.origin,
    domain_id('sample:SampleTask', t.connection_id, t.id) as id,
    t.id::varchar as issue_key,
    str(t.title) as title,
    str(t.url) as url,
    str(t.type) as type,
    str(t.labels) as original_type,
    if(t.closed_date is null, 'TODO', 'DONE') as status,
    str(t.state) as original_status,
    t.created_date,
    t.updated_date,
    t.closed_date as resolution_date,
    minutes_between(t.created_date, t.closed_date) as lead_time_minutes
from _tool_sample_tasks t
