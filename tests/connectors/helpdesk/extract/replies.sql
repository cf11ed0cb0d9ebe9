-- subtask: Extract Replies
-- from: _raw_helpdesk_replies r
-- rows: _tool_helpdesk_replies
select r.origin,
    $connectionId as connection_id,
    r.j.id as id,
    r.input.ticket_id as ticket_id,
    $queue as queue_slug,
    str(r.j.text) as text,
    r.j.author.id as author_id,
    r.j.sent as sent_date
from _raw_helpdesk_replies r
