-- subtask: convertBuildsToCICD
-- from: _tool_jenkins_builds b
-- rows: cicd_tasks
-- scope: b.connection_id = $connectionId and goes_on_from(b.full_name, $jobFullName)

-- A build without stages is one task, of the same id.
select b.origin,
    domain_id('jenkins:JenkinsBuild', b.connection_id, b.full_name) as id,
    $jobFullName as name,
    domain_id('jenkins:JenkinsBuild', b.connection_id, b.full_name) as pipeline_id,
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
    domain_id('jenkins:JenkinsJob', b.connection_id, $jobFullName) as cicd_scope_id
from _tool_jenkins_builds b
where not flag(b.has_stages)
