-- subtask: Convert Releases
-- from: _tool_github_releases t
-- rows: cicd_releases
-- scope: t.connection_id = $connectionId and t.github_id = $githubId
select t.origin,
    domain_id('github:GithubRelease', t.connection_id, t.id) as id,
    t.published_at,
    domain_id('github:GithubRepo', t.connection_id, t.github_id) as cicd_scope_id,
    str(t.name) as name,
    str(t.name) as display_title,
    str(t.description) as description,
    str(t.url) as url,
    flag(t.is_draft) as is_draft,
    flag(t.is_latest) as is_latest,
    flag(t.is_prerelease) as is_prerelease,
    str(t.author_id) as author_id,
    domain_id('github:GithubRepo', t.connection_id, t.github_id) as repo_id,
    str(t.tag_name) as tag_name,
    str(t.commit_sha) as commit_sha
from _tool_github_releases t
where t.published_at is not null
