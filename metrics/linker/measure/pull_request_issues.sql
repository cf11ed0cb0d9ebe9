-- subtask: LinkPrToIssue
-- from: pull_requests r
-- rows: pull_request_issues
-- owns: str(t._raw_data_table) = '' and contains(t._raw_data_remark, 'pull_requests,') and exists (
--     select 1 from pull_requests r join project_mapping p on p."table" = 'repos' and p.row_id = r.base_repo_id
--     join project_mapping o on o."table" = 'boards' and o.project_name = p.project_name join board_issues b on b.board_id = o.row_id
--     where r.id = t.pull_request_id and b.issue_id = t.issue_id and of_project($projectName, p.project_name))
with texts as (
    select r.id, r.pull_request_key, m.project_name, case when matches($prToIssueRegexp, r.title) then str(r.title)
        when matches($prToIssueRegexp, r.description) then str(r.description) else str(r.head_ref) end as text
    from pull_requests r join project_mapping m on m."table" = 'repos' and m.row_id = r.base_repo_id
    where $prToIssueRegexp <> '' and of_project($projectName, m.project_name)
), named as (
    select distinct id, pull_request_key, project_name, trim(replace(key, '#', ''), e' \t\r\n\v\f') as issue_key
    from texts, unnest(regexp_extract_all(text, $prToIssueRegexp)) found(key)
), project_issues as (
    select distinct i.id, i.issue_key, m.project_name
    from issues i join board_issues b on b.issue_id = i.id join project_mapping m on m."table" = 'boards' and m.row_id = b.board_id
    where str(i.issue_key) <> '' and of_project($projectName, m.project_name)
)
-- No raw row says so: the remark tells these links from those that a source made, which stay as they are.
select distinct origin_of(0, '', '', 'pull_requests,') as origin, n.id as pull_request_id, i.id as issue_id, n.pull_request_key, i.issue_key
from named n join project_issues i on i.project_name = n.project_name and i.issue_key = n.issue_key
where not exists (select 1 from pull_request_issues l where l.pull_request_id = n.id and l.issue_id = i.id and str(l._raw_data_table) <> '')
