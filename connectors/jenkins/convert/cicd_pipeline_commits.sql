-- subtask: convertBuildRepos
-- from: _tool_jenkins_build_commits c
-- rows: cicd_pipeline_commits
-- scope: c.connection_id = $connectionId and goes_on_from(c.build_name, $jobFullName)
-- static: _tool_jenkins_jobs
select c.origin,
    domain_id('jenkins:JenkinsBuild', c.connection_id, c.build_name) as pipeline_id,
    c.commit_sha,
    '' as commit_msg,
    c.build_name as display_title,
    str(j.url) || c.number as url,
    str(c.branch) as branch,
    '' as repo_id,
    str(c.repo_url) as repo_url
from _tool_jenkins_build_commits c
left join _tool_jenkins_jobs j on j.connection_id = c.connection_id and j.full_name = regexp_extract(c.build_name, '^(.*)#', 1)
