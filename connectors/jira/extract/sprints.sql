-- subtask: extractSprints
-- from: _raw_jira_api_sprints r
-- rows: _tool_jira_sprints
select r.origin,
    $connectionId as connection_id,
    r.j.id as sprint_id,
    str(r.j.self) as self,
    str(r.j.state) as state,
    str(r.j.name) as name,
    coalesce(r.j.activatedDate, r.j.startDate) as start_date,
    r.j.endDate as end_date,
    r.j.completeDate as complete_date,
    num(r.j.originBoardId) as origin_board_id
from _raw_jira_api_sprints r
