-- subtask: extractApiStages
-- from: _raw_jenkins_api_stages r
-- rows: _tool_jenkins_stages
select r.origin,
    $connectionId as connection_id,
    str(r.j.id) as id,
    r.input.FullName as build_name,
    str(r.j.name) as name,
    str(r.j.execNode) as exec_node,
    str(r.j.status) as status,
    num(r.j.startTimeMillis) as start_time_millis,
    num(r.j.durationMillis) as duration_millis,
    num(r.j.pauseDurationMillis) as pause_duration_millis,
    '' as type
from _raw_jenkins_api_stages r
