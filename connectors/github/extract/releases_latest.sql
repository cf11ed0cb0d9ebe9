-- subtask: Extract Releases
-- from: _tool_github_releases t
-- update: _tool_github_releases set (is_latest)
-- scope: t.connection_id = $connectionId and t.github_id = $githubId
-- incremental: no
select t.connection_id, t.id,  -- latest: published last, neither a draft nor a pre-release
    not (flag(t.is_draft) or flag(t.is_prerelease)) and t.published_at is not null
        and row_number() over (order by flag(t.is_draft) or flag(t.is_prerelease), t.published_at desc nulls last, t.id) = 1 as is_latest
from _tool_github_releases t
