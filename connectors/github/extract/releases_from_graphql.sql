-- subtask: Extract Releases
-- from: _raw_github_graphql_release r
-- rows: _tool_github_releases
select r.origin,
    $connectionId as connection_id,
    $githubId as github_id,
    r.j.Id as id,
    str(r.j.Author.Name) as author_name,
    str(r.j.Author.ID) as author_id,
    num(r.j.DatabaseID) as database_id,
    str(r.j.Description) as description,
    str(r.j.Description) as description_html,
    flag(r.j.IsDraft) as is_draft,
    flag(r.j.IsPrerelease) as is_prerelease,
    str(r.j.Name) as name,
    if(year(r.j.PublishedAt) > 1, r.j.PublishedAt, null) as published_at,
    str(r.j.ResourcePath) as resource_path,
    str(r.j.TagName) as tag_name,
    str(r.j.TagCommit.Oid) as commit_sha,
    str(r.j.URL) as url
from _raw_github_graphql_release r
where str(r.j.Id) <> ''
