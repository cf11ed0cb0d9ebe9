-- subtask: extractRemotelinks
-- from: _raw_jira_api_remotelinks r
-- rows: _tool_jira_issue_commits
with patterns as (
    select unnest(regex_list($remotelinkRepoPattern)) as pattern, generate_subscripts(regex_list($remotelinkRepoPattern), 1) as nth
),
read as (
    select r.origin, r.input.issue_id as issue_id, str(r.j.object.url) as url,
        if($remotelinkCommitShaPattern = '', '', str(regex_groups($remotelinkCommitShaPattern, r.j.object.url)[1])) as sha
    from _raw_jira_api_remotelinks r
    where $applicationType = ''
),
-- The first pattern with three groups (namespace, repository, commit) that matches.
refined as (
    select r.url, arg_min(p.g[3], p.nth) as sha
    from (select distinct url from read where sha = '') r
    cross join lateral (select nth, regex_groups(pattern, r.url) as g from patterns) p
    where len(p.g) = 3
    group by r.url
)
select r.origin, $connectionId as connection_id, r.issue_id, first_text(r.sha, f.sha) as commit_sha, r.url as commit_url, '' as repo_url
from read r
left join refined f on f.url = r.url
where first_text(r.sha, f.sha) <> ''
