-- subtask: ExtractDevelopmentPanel
-- from: _raw_jira_api_development_panels r
-- rows: _tool_jira_issue_commits

-- A commit that stands in several repositories, such as forks, is of the last one.
select c.origin, $connectionId as connection_id, c.issue_id, str(c.commit.id) as commit_sha, str(c.commit.url) as commit_url, str(c.repo_url) as repo_url
from (
    select p.origin, p.issue_id, p.place, p.repository.url as repo_url, unnest(p.repository.commits) as commit,
        generate_subscripts(p.repository.commits, 1) as commit_place
    from (
        select origin, issue_id, unnest(repositories) as repository, generate_subscripts(repositories, 1) as place
        from (
            select origin, input.issue_id as issue_id, flatten(list_transform(j.detail, lambda d: coalesce(d.repositories, []))) as repositories
            from _raw_jira_api_development_panels
            where $applicationType <> ''
        )
    ) p
) c
where str(c.commit.id) <> ''
qualify row_number() over (partition by c.origin, c.commit.id order by c.place desc, c.commit_place desc) = 1
