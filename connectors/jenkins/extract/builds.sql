-- subtask: extractApiBuilds
-- from: _raw_jenkins_api_builds r
-- rows: _tool_jenkins_builds

-- A branch's job is named by the input, a scope of its own by the scope.
select r.origin,
    $connectionId as connection_id,
    if(branch, r.input.Name, inner_name($jobFullName)) as job_name,
    case when branch then str(r.input.Path)
        when multi or outer_name($jobFullName) = '' then 'view/all/' else '' end
        || if(branch, '', each_segment('job', outer_name($jobFullName))) as job_path,
    num(r.j.duration) as duration,
    if(branch, r.input.FullName, $jobFullName) || '#' || num(r.j.number) as full_name,
    num(r.j.estimatedDuration) as estimated_duration,
    num(r.j.number) as number,
    str(r.j.result) as result,
    num(r.j.timestamp) as timestamp,
    second_time(num(r.j.timestamp)) as start_time,
    '' as type,
    string_split(str(r.j._class), '.')[-1] as class,
    coalesce(list_last([cause.upstreamProject || ' #' || num(cause.upstreamBuild)
        for cause in flatten([or_none(action.causes) for action in coalesce(r.j.actions, [])]) if cause.upstreamProject <> '']), '') as triggered_by,
    flag(r.j.building) as building
from (
    select b.*, b.input.Class = 'org.jenkinsci.plugins.workflow.job.WorkflowJob' and b.input.FullName <> $jobFullName is true as branch,
        $class = 'org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject' as multi
    from _raw_jenkins_api_builds b
) r
