-- subtask: Extract PR Reviews
-- from: _tool_github_pull_request_reviews v
-- rows: _tool_github_reviewers
-- scope: v._raw_data_params = $params and v._raw_data_table = '_raw_github_api_pull_request_reviews'
-- incremental: no
select max(v.origin) as origin,
    v.connection_id,
    v.author_user_id as reviewer_id,
    v.pull_request_id,
    '' as name,
    max_by(v.author_username, v._raw_data_id) as username,
    '' as state,
    '' as avatar_url,
    '' as web_url
from _tool_github_pull_request_reviews v
group by all
