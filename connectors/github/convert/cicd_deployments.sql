-- subtask: Convert Deployments
-- from: _tool_github_deployments d
-- rows: cicd_deployments
-- scope: d.connection_id = $connectionId and d.github_id = $githubId
select d.origin,
    domain_id('github:GithubDeployment', d.connection_id, d.id) as id,
    domain_id('github:GithubRepo', d.connection_id, d.github_id) as cicd_scope_id,
    str(d.commit_oid) as name,
    str(d.display_title) as display_title,
    str(d.url) as url,
    ci_result(d.state, ['SUCCESS', 'INACTIVE', 'ACTIVE'], ['ERROR', 'FAILURE']) as result,
    ci_status(d.state, ['SUCCESS', 'ERROR', 'FAILURE', 'INACTIVE', 'ACTIVE'], ['IN_PROGRESS', 'QUEUED', 'WAITING', 'PENDING']) as status,
    str(d.state) as original_status,
    '' as original_result,
    if(matches($envNamePattern, d.environment), 'PRODUCTION', str(d.environment)) as environment,
    str(d.environment) as original_environment,
    d.created_date,
    d.created_date as started_date,
    coalesce(d.finished_date, d.updated_date) as finished_date,
    exact_seconds_between(d.created_date, coalesce(d.finished_date, d.updated_date)) as duration_sec
from _tool_github_deployments d
