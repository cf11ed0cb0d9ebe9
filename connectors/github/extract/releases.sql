-- subtask: Extract Releases
-- from: _raw_github_api_releases r
-- rows: _tool_github_releases
-- after: releases_from_graphql
select r.origin,
    $connectionId as connection_id,
    $githubId as github_id,
    r.j.node_id as id,
    str(r.j.author.login) as author_name,
    str(r.j.author.node_id) as author_id,
    num(r.j.id) as database_id,
    str(r.j.body) as description,
    str(r.j.body) as description_html,
    flag(r.j.draft) as is_draft,
    flag(r.j.prerelease) as is_prerelease,
    str(r.j.name) as name,
    r.j.published_at as published_at,
    regexp_replace(str(r.j.html_url), '^https?://[^/]+', '') as resource_path,
    str(r.j.tag_name) as tag_name,
    if(regexp_full_match(str(r.j.target_commitish), '[0-9a-f]{40}'), r.j.target_commitish, '') as commit_sha,
    str(r.j.html_url) as url
from _raw_github_api_releases r
where str(r.j.node_id) <> ''
