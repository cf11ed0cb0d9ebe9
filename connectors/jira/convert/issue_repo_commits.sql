-- subtask: convertIssueRepoCommits
-- from: _tool_jira_issue_commits c
-- rows: issue_repo_commits
-- scope: c.connection_id = $connectionId and c.issue_id in
--     (select issue_id from _tool_jira_board_issues where connection_id = $connectionId and board_id = $boardId)
with patterns as (
    select unnest(regex_list($remotelinkRepoPattern)) as pattern, generate_subscripts(regex_list($remotelinkRepoPattern), 1) as nth
),
-- The first pattern with three groups (namespace, repository, commit) that matches a URL.
refined as (
    select c.url, arg_min(p.g, p.nth) as g
    from (select distinct str(commit_url) as url from _tool_jira_issue_commits) c
    cross join lateral (select nth, regex_groups(pattern, c.url) as g from patterns) p
    where len(p.g) = 3 and regexp_matches(c.url, '^[a-zA-Z][a-zA-Z0-9+.-]*://')
    group by c.url
)
select c.origin,
    domain_id('jira:JiraIssue', c.connection_id, c.issue_id) as issue_id,
    case when f.g is not null
            then regexp_extract(c.commit_url, '^[^:/?#]+://[^/?#]*') || '/' || f.g[1] || '/' || f.g[2] || '.git' || regexp_extract(c.commit_url, '[?#].*$')
        when contains(c.commit_url, '-/commit') then regexp_extract(c.commit_url, '(.*)-/commit', 1)
        else str(c.repo_url) end as repo_url,
    c.commit_sha,
    regexp_extract(str(c.commit_url), '^[^:/?#]+://(?:[^/?#@]*@)?([^/?#:]*)', 1) as host,
    str(f.g[1]) as namespace,
    str(f.g[2]) as repo_name
from _tool_jira_issue_commits c
left join refined f on f.url = c.commit_url
