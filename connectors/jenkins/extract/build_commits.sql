-- subtask: extractApiBuilds
-- from: _raw_jenkins_api_builds r
-- rows: _tool_jenkins_build_commits

-- Every repository that the build checked out. Of two with one commit the later one counts.
select origin, $connectionId as connection_id, build_name, commit_sha, branch, repo_url, number
from (
    select a.origin, a.build_name, a.number, a.place, coalesce(nullif(a.action.mercurialRevisionNumber, ''), str(a.action.lastBuiltRevision.SHA1)) as commit_sha,
        str(a.action.lastBuiltRevision.branch[1].name) as branch, unnest(a.action.remoteUrls) as repo_url,
        generate_subscripts(a.action.remoteUrls, 1) as url_place
    from (
        select r.origin, num(r.j.number) as number, unnest(r.j.actions) as action, generate_subscripts(r.j.actions, 1) as place,
            if(r.input.Class = 'org.jenkinsci.plugins.workflow.job.WorkflowJob', r.input.FullName, $jobFullName) || '#' || num(r.j.number) as build_name
        from _raw_jenkins_api_builds r
    ) a
    where a.action.lastBuiltRevision is not null
)
where repo_url <> ''
qualify row_number() over (partition by origin, commit_sha order by place desc, url_place desc) = 1
