-- subtask: Convert Tasks
-- from: _tool_sample_tasks t
-- rows: board_issues
select t.origin,
    domain_id('sample:SampleProject', t.connection_id, t.project_id) as board_id,
    domain_id('sample:SampleTask', t.connection_id, t.id) as issue_id
from _tool_sample_tasks t
