-- subtask: Enrich PR Issues
-- from: _tool_github_pull_requests p
-- children: _tool_github_pull_request_issues by (connection_id, pull_request_id)
-- new: _tool_github_issues
with closed as (
    -- The first match of the pattern in the body (%s in it: the repository's name); words, blanks, slashes and commas part the numbers.
    select p.origin, p.connection_id, p.github_id, p.number,
        unnest(or_none(string_split(regexp_replace(case when $prBodyClosePattern = '' then ''
            else regexp_extract(str(p.body), regexp_replace($prBodyClosePattern, '%s', $name), 0) end, '[/a-zA-Z\s,]+', '#', 'g'), '#'))) as part
    from _tool_github_pull_requests p
),
numbered as (
    select *, case when regexp_full_match(trim(part), '[+-]?\d{1,18}') then trim(part)::bigint end as issue_number from closed
)
select n.origin, n.connection_id, n.github_id as pull_request_id, i.github_id as issue_id, n.number as pull_request_number, i.number as issue_number
from numbered n
left join _tool_github_issues i
    on i.number = n.issue_number and i.number <> 0 and i.repo_id = $githubId and i.connection_id = n.connection_id
