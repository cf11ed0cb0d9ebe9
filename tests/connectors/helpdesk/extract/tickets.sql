-- subtask: Extract Tickets
-- from: _raw_helpdesk_tickets r
-- rows: _tool_helpdesk_tickets
select r.origin,
    $connectionId as connection_id,
    r.j.id as id,
    $queue as queue_slug,
    str(r.j.subject) as subject,
    str(r.j.category) as category,
    r.j.author.id as author_id,
    str(r.j.author.name) as author_name,
    r.j.opened as opened_date,
    r.j.changed as changed_date,
    r.j.solved as solved_date
from _raw_helpdesk_tickets r
