-- subtask: Extract Releases
-- from: _tool_github_releases t
-- update: _tool_github_releases set (is_latest)
-- scope: t.connection_id = $connectionId and t.github_id = $githubId
-- incremental: no
with told as (
    select id, from_json(data, '{"IsLatest": "BOOLEAN"}').IsLatest as is_latest
    from _raw_github_graphql_release where params = $params and json_valid(data)
), releases as (
    select *, flag(is_draft) or flag(is_prerelease) as is_early, bool_or(_raw_data_table = '_raw_github_api_releases') over () as by_rest
    from _tool_github_releases
)
-- GraphQL told which release is the latest. REST's list does not: published last, neither a draft nor a pre-release.
select t.connection_id, t.id,
    if(flag(t.by_rest), not t.is_early and t.published_at is not null
        and row_number() over (order by t.is_early, t.published_at desc nulls last, t.id) = 1, flag(g.is_latest)) as is_latest
from releases t
left join told g on t._raw_data_table = '_raw_github_graphql_release' and g.id = t._raw_data_id
