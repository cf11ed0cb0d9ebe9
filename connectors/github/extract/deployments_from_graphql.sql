-- subtask: Extract Deployments
-- from: _raw_github_graphql_deployment r
-- rows: _tool_github_deployments
with stated as (
    -- Rows differ in how they spell the keys of a status: the reference reads them without regard to case.
    select origin, j, from_json(lower(coalesce(j.Statuses, '{}')), '{"nodes": [{"state": "VARCHAR", "updatedat": "VARCHAR"}]}').nodes as statuses
    from _raw_github_graphql_deployment
)
select d.origin,
    $connectionId as connection_id,
    $githubId as github_id,
    d.j.Id as id,
    first_line(d.j.Commit.Message) as display_title,
    str(d.j.Repository.Url) || '/deployments/' || str(d.j.Environment) as url,
    num(d.j.DatabaseId) as database_id,
    str(d.j.CommitOid) as commit_oid,
    str(d.j.Description) as description,
    str(d.j.Environment) as environment,
    str(d.j.State) as state,
    str(d.j.LatestStatus.State) as latest_status_state,
    d.j.LatestStatus.updatedAt as latest_updated_date,
    str(d.j.Repository.Id) as repository_id,
    str(d.j.Repository.Name) as repository_name,
    str(d.j.Repository.Url) as repository_url,
    str(d.j.Ref.Name) as ref_name,
    str(d.j.Payload) as payload,
    coalesce(
        list_max(list_transform(list_filter(d.statuses, lambda s: s.state = 'success'), lambda s: utc_time(s.updatedat))),
        list_max(list_transform(list_filter(d.statuses, lambda s: s.state in ('failure', 'error', 'inactive', 'active')), lambda s: utc_time(s.updatedat)))
    ) as finished_date,
    d.j.CreatedAt as created_date,
    d.j.UpdatedAt as updated_date
from stated d
where str(d.j.Id) <> ''
