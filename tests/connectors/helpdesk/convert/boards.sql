-- subtask: Convert Queues
-- from: _tool_helpdesk_queues q
-- rows: boards
-- scope: q.connection_id = $connectionId and q.slug = $queue
select q.origin, domain_id('helpdesk:HelpdeskQueue', q.connection_id, q.slug) as id, str(q.name) as name
from _tool_helpdesk_queues q
