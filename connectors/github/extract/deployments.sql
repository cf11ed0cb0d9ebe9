-- subtask: Extract Deployments
-- from: _raw_github_api_deployment_statuses r
-- rows: _tool_github_deployments
-- after: deployments_from_graphql
-- new: _tool_github_repos
with stated as (
    -- One raw row holds all statuses of a deployment; the deployment itself is its input.
    select origin, input, coalesce(j, []) as statuses,
        list_sort(list_transform(coalesce(j, []),
            lambda s: {'at': s.created_at, 'id': s.id, 'state': upper(str(s.state)), 'updated': s.updated_at}), 'desc')[1] as latest
    from _raw_github_api_deployment_statuses
)
select d.origin,
    $connectionId as connection_id,
    $githubId as github_id,
    d.input.NodeId as id,
    if(str(d.input.Description) = '', str(d.input.Ref), d.input.Description) as display_title,  -- REST does not tell the commit's message
    str(p.html_url) || '/deployments/' || str(d.input.Environment) as url,
    d.input.Id as database_id,
    str(d.input.Sha) as commit_oid,
    str(d.input.Description) as description,
    str(d.input.Environment) as environment,
    case when d.latest is null then 'PENDING' when d.latest.state = 'SUCCESS' then 'ACTIVE' else d.latest.state end as state,
    str(d.latest.state) as latest_status_state,
    d.latest.updated as latest_updated_date,
    '' as repository_id,
    str(p.name) as repository_name,
    str(p.html_url) as repository_url,
    if(d.input.Ref = d.input.Sha, '', str(d.input.Ref)) as ref_name,
    str(d.input.Payload) as payload,
    coalesce(
        list_max(list_transform(list_filter(d.statuses, lambda s: s.state = 'success'), lambda s: s.updated_at)),
        list_max(list_transform(list_filter(d.statuses, lambda s: s.state in ('failure', 'error', 'inactive')), lambda s: s.updated_at))
    ) as finished_date,
    d.input.CreatedAt as created_date,
    coalesce(d.latest.updated, d.input.CreatedAt) as updated_date
from stated d
left join _tool_github_repos p on p.connection_id = $connectionId and p.github_id = $githubId
where str(d.input.NodeId) <> ''
