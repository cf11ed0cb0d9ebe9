-- subtask: Convert Replies
-- from: _tool_helpdesk_replies r
-- rows: issue_comments
select r.origin,
    domain_id('helpdesk:HelpdeskReply', r.connection_id, r.id) as id,
    domain_id('helpdesk:HelpdeskTicket', r.connection_id, r.ticket_id) as issue_id,
    str(r.text) as body,
    domain_id_or_empty('helpdesk:HelpdeskPerson', r.connection_id, r.author_id) as account_id,
    r.sent_date as created_date
from _tool_helpdesk_replies r
