-- subtask: collectBoardFilterBegin
-- from: _raw_jira_api_server_infos r
-- rows: _tool_jira_server_infos
select $connectionId as connection_id,
    str(r.j.baseUrl) as base_url,
    str(r.j.buildDate) as build_date,
    num(r.j.buildNumber) as build_number,
    str(r.j.deploymentType) as deployment_type,
    str(r.j.scmInfo) as scm_info,
    str(r.j.serverTime) as server_time,
    str(r.j.serverTitle) as server_title,
    str(r.j.version) as version,
    r.j.versionNumbers as version_numbers
from _raw_jira_api_server_infos r
