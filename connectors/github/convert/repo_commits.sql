-- subtask: Convert Commits
-- from: _tool_github_repo_commits c
-- rows: repo_commits
select c.origin, domain_id('github:GithubRepo', c.connection_id, c.repo_id) as repo_id, c.commit_sha
from _tool_github_repo_commits c
