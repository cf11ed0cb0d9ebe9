-- subtask: Extract Issues
-- from: _raw_github_api_issues r
-- children: _tool_github_issue_assignees by (connection_id, issue_id, repo_id)
select r.origin, $connectionId as connection_id, r.issue_id, $githubId as repo_id, r.a.id as assignee_id, str(r.a.login) as assignee_name
from (
    select origin, j.id as issue_id, unnest(or_none(j.assignees)) as a
    from _raw_github_api_issues
    where num(j.id) <> 0 and str(j.pull_request.url) = ''
) r
