-- subtask: Convert Projects
-- from: _tool_sample_projects p
-- rows: boards
-- scope: p.connection_id = $connectionId and p.id = $projectId
select p.origin,
    domain_id('sample:SampleProject', p.connection_id, p.id) as id,
    str(p.name) as name,
    str(p.url) as url
from _tool_sample_projects p
