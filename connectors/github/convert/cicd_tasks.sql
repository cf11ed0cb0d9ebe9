-- subtask: Convert Jobs
-- from: _tool_github_jobs b
-- rows: cicd_tasks
select b.origin,
    domain_id('github:GithubJob', b.connection_id, num(b.run_id), b.id) as id,
    str(b.name) as name,
    domain_id('github:GithubRun', b.connection_id, b.repo_id, num(b.run_id)) as pipeline_id,
    ci_result(b.conclusion, ['SUCCESS'], ['FAILURE', 'CANCELLED', 'TIMED_OUT', 'STARTUP_FAILURE']) as result,
    ci_status(b.status, ['COMPLETED', 'SUCCESS', 'FAILURE', 'CANCELLED', 'TIMED_OUT', 'STARTUP_FAILURE'],
        ['IN_PROGRESS', 'QUEUED', 'WAITING', 'PENDING']) as status,
    str(b.status) as original_status,
    str(b.conclusion) as original_result,
    str(b.type) as type,
    str(b.environment) as environment,
    num(seconds_between(b.started_at, b.completed_at)) as duration_sec,
    b.started_at as created_date,
    b.started_at as started_date,
    b.completed_at as finished_date,
    domain_id('github:GithubRepo', b.connection_id, b.repo_id) as cicd_scope_id
from _tool_github_jobs b
where b.started_at is not null
