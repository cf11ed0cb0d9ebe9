-- subtask: convertJobs
-- from: _tool_jenkins_jobs j
-- rows: cicd_scopes
-- scope: j._raw_data_params = $params
select j.origin,
    domain_id('jenkins:JenkinsJob', j.connection_id, j.full_name) as id,
    str(j.full_name) as name,
    str(j.description) as description,
    str(j.url) as url
from _tool_jenkins_jobs j
