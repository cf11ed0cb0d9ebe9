-- subtask: convertStages
-- from: _tool_jenkins_stages s
-- rows: cicd_tasks
-- scope: s.connection_id = $connectionId and goes_on_from(s.build_name, $jobFullName)
-- static: _tool_jenkins_builds

-- Stages are read when their build has ended: it does not change any more.
select s.origin,
    domain_id('jenkins:JenkinsStage', s.connection_id, s.build_name, s.id) as id,
    s.name,
    domain_id('jenkins:JenkinsBuild', s.connection_id, s.build_name) as pipeline_id,
    if(s.status = 'NOT_EXECUTED', '', ci_result(b.result, ['SUCCESS'], ['FAILED', 'FAILURE', 'ABORTED'])) as result,
    if(upper(s.status) = 'SUCCESS', 'DONE', 'OTHER') as status,
    str(b.result) as original_result,
    str(s.status) as original_status,
    ci_type($deploymentPattern, s.name) as type,
    greatest(num(s.duration_millis), 0) // 1000 as duration_sec,
    ci_environment($productionPattern, s.name) as environment,
    second_time(s.start_time_millis) as created_date,
    second_time(s.start_time_millis) as started_date,
    millis_time(s.start_time_millis + greatest(num(s.duration_millis), 0)) as finished_date,
    domain_id('jenkins:JenkinsJob', s.connection_id, $jobFullName) as cicd_scope_id
from _tool_jenkins_stages s
join _tool_jenkins_builds b on b.connection_id = s.connection_id and b.full_name = s.build_name
where s.name <> ''
