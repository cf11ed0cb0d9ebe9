-- subtask: ExtractDevelopmentPanel
-- from: _raw_jira_api_development_panels r
-- rows: _tool_jira_issue_commits
select c.origin, $connectionId as connection_id, c.issue_id, str(c.commit.id) as commit_sha, str(c.commit.url) as commit_url, str(c.repo_url) as repo_url
from (
    select p.origin, p.issue_id, p.repository.url as repo_url, unnest(p.repository.commits) as commit
    from (
        select origin, input.issue_id as issue_id, unnest(flatten(list_transform(j.detail, lambda d: coalesce(d.repositories, [])))) as repository
        from _raw_jira_api_development_panels
        where $applicationType <> ''
    ) p
) c
where str(c.commit.id) <> ''
