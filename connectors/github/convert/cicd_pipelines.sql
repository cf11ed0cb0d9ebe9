-- subtask: Convert Workflow Runs
-- from: _tool_github_runs r
-- rows: cicd_pipelines
select r.origin,
    domain_id('github:GithubRun', r.connection_id, r.repo_id, r.id) as id,
    str(r.name) as name,
    str(r.display_title) as display_title,
    str(r.url) as url,
    ci_result(r.conclusion, ['SUCCESS'], ['FAILURE', 'CANCELLED', 'TIMED_OUT', 'STARTUP_FAILURE']) as result,
    ci_status(r.status, ['COMPLETED', 'SUCCESS', 'FAILURE', 'CANCELLED', 'TIMED_OUT', 'STARTUP_FAILURE'],
        ['IN_PROGRESS', 'QUEUED', 'WAITING', 'PENDING']) as status,
    str(r.status) as original_status,
    str(r.conclusion) as original_result,
    str(r.type) as type,
    num(seconds_between(r.run_started_at, r.github_updated_at)) as duration_sec,
    str(r.environment) as environment,
    coalesce(r.github_created_at, r.run_started_at, r.github_updated_at) as created_date,
    r.run_started_at as started_date,
    r.github_updated_at as finished_date,
    domain_id('github:GithubRepo', r.connection_id, r.repo_id) as cicd_scope_id,
    false as is_child
from _tool_github_runs r
