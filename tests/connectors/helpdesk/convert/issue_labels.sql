-- subtask: Convert Tickets
-- from: _tool_helpdesk_ticket_tags l
-- rows: issue_labels
-- scope: l.connection_id = $connectionId
--     and l.ticket_id in (select id from _tool_helpdesk_tickets where connection_id = $connectionId and queue_slug = $queue)
select l.origin, domain_id('helpdesk:HelpdeskTicket', l.connection_id, l.ticket_id) as issue_id, l.tag as label_name
from _tool_helpdesk_ticket_tags l
