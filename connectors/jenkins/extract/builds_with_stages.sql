-- subtask: enrichApiBuildWithStages
-- from: _tool_jenkins_builds b
-- update: _tool_jenkins_builds set (has_stages)
-- scope: b.connection_id = $connectionId and goes_on_from(b.full_name, $jobFullName)
select b.connection_id, b.full_name,
    exists (select 1 from _tool_jenkins_stages s where s.connection_id = b.connection_id and s.build_name = b.full_name) as has_stages
from _tool_jenkins_builds b
