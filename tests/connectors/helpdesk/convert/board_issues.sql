-- subtask: Convert Tickets
-- from: _tool_helpdesk_tickets t
-- rows: board_issues
select t.origin,
    domain_id('helpdesk:HelpdeskQueue', t.connection_id, t.queue_slug) as board_id,
    domain_id('helpdesk:HelpdeskTicket', t.connection_id, t.id) as issue_id
from _tool_helpdesk_tickets t
