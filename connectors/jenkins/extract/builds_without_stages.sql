-- subtask: extractApiBuilds
-- from: _tool_jenkins_builds b
-- update: _tool_jenkins_builds set (has_stages)
-- scope: b.connection_id = $connectionId and goes_on_from(b.full_name, $jobFullName)

-- A build has no stages until enrichApiBuildWithStages has looked.
select b.connection_id, b.full_name, flag(b.has_stages) as has_stages
from _tool_jenkins_builds b
