-- subtask: Extract Jobs
-- from: _raw_github_api_jobs r
-- rows: _tool_github_jobs
select r.origin,
    $connectionId as connection_id,
    $githubId as repo_id,
    num(r.j.id) as id,
    num(r.j.run_id) as run_id,
    str(r.j.run_url) as run_url,
    str(r.j.node_id) as node_id,
    str(r.j.head_sha) as head_sha,
    str(r.j.url) as url,
    str(r.j.html_url) as html_url,
    upper(str(r.j.status)) as status,
    upper(str(r.j.conclusion)) as conclusion,
    r.j.started_at as started_at,
    r.j.completed_at as completed_at,
    str(r.j.name) as name,
    r.j.steps as steps,
    str(r.j.check_run_url) as check_run_url,
    r.j.labels as labels,
    num(r.j.run_id) as runner_id,  -- the run's id, not the runner's: as DevLake fills it
    str(r.j.runner_name) as runner_name,
    num(r.j.runner_group_id) as runner_group_id,
    ci_type($deploymentPattern, r.j.name) as type,
    ci_environment($productionPattern, r.j.name) as environment
from _raw_github_api_jobs r
