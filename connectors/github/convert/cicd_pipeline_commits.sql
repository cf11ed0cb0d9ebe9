-- subtask: Convert Workflow Runs
-- from: _tool_github_runs r
-- rows: cicd_pipeline_commits
-- new: _tool_github_repos
select r.origin,
    domain_id('github:GithubRun', r.connection_id, r.repo_id, r.id) as pipeline_id,
    str(r.head_sha) as commit_sha,
    '' as commit_msg,
    str(r.display_title) as display_title,
    str(r.html_url) as url,
    str(r.head_branch) as branch,
    domain_id('github:GithubRepo', r.connection_id, r.repo_id) as repo_id,
    str(p.html_url) as repo_url
from _tool_github_runs r
left join _tool_github_repos p on p.connection_id = r.connection_id and p.github_id = r.repo_id
