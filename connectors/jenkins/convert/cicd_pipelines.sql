-- subtask: convertBuildsToCICD
-- from: _tool_jenkins_builds b
-- rows: cicd_pipelines
-- scope: b.connection_id = $connectionId and goes_on_from(b.full_name, $jobFullName)
select b.origin,
    domain_id('jenkins:JenkinsBuild', b.connection_id, b.full_name) as id,
    b.full_name as name,
    if(flag(b.building), '', ci_result(b.result, ['SUCCESS'], ['FAILURE', 'ABORTED'])) as result,
    if(flag(b.building), 'IN_PROGRESS', 'DONE') as status,
    str(b.result) as original_result,
    flag(b.building)::varchar as original_status,
    ci_type($deploymentPattern, b.full_name) as type,
    greatest(num(b.duration), 0) / 1000 as duration_sec,
    ci_environment($productionPattern, b.full_name) as environment,
    b.start_time as created_date,
    b.start_time as started_date,
    if(flag(b.building), null, b.start_time + to_milliseconds(greatest(num(b.duration), 0)::bigint)) as finished_date,
    domain_id('jenkins:JenkinsJob', b.connection_id, $jobFullName) as cicd_scope_id,
    false as is_child
from _tool_jenkins_builds b
