-- subtask: Convert Tickets
-- from: _tool_helpdesk_tickets t
-- rows: issues
select t.origin,
    domain_id('helpdesk:HelpdeskTicket', t.connection_id, t.id) as id,
    t.id as issue_key,
    str(t.subject) as title,
    if(matches($incidentPattern, t.category), 'INCIDENT', 'REQUIREMENT') as type,
    str(t.category) as original_type,
    if(t.solved_date is null, 'TODO', 'DONE') as status,
    t.opened_date as created_date,
    t.changed_date as updated_date,
    t.solved_date as resolution_date,
    minutes_between(t.opened_date, t.solved_date) as lead_time_minutes,
    domain_id_or_empty('helpdesk:HelpdeskPerson', t.connection_id, t.author_id) as creator_id,
    str(t.author_name) as creator_name
from _tool_helpdesk_tickets t
