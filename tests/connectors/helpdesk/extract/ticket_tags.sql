-- subtask: Extract Tickets
-- from: _raw_helpdesk_tickets r
-- children: _tool_helpdesk_ticket_tags by (connection_id, ticket_id)
select r.origin, $connectionId as connection_id, r.j.id as ticket_id, t.tag as tag
from _raw_helpdesk_tickets r, unnest(or_none(r.j.tags)) t(tag)
