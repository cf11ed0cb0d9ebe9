create table _tool_helpdesk_connections (
    id ubigint not null auto, name varchar(100), endpoint text, user text, api_key text secret,
    primary key (id), unique index (name)
) times;

create table _tool_helpdesk_scope_configs (
    id ubigint not null auto, entities json, connection_id ubigint, name varchar(255), incident_pattern varchar(255),
    primary key (id), unique index (name)
) times;

create table _tool_helpdesk_queues (
    connection_id ubigint not null, scope_config_id ubigint, slug varchar(100) not null, name varchar(255),
    primary key (connection_id, slug)
) origin;

create table _tool_helpdesk_tickets (
    connection_id ubigint not null, id varchar(100) not null, queue_slug varchar(100), subject text, category varchar(100), author_id bigint,
    author_name varchar(255), opened_date datetime, changed_date datetime, solved_date datetime,
    primary key (connection_id, id), index (queue_slug)
) origin;

create table _tool_helpdesk_ticket_tags (
    connection_id ubigint not null, ticket_id varchar(100) not null, tag varchar(255) not null,
    primary key (connection_id, ticket_id, tag)
) origin;

create table _tool_helpdesk_replies (
    connection_id ubigint not null, id bigint not null, ticket_id varchar(100), queue_slug varchar(100), text text, author_id bigint,
    sent_date datetime,
    primary key (connection_id, id)
) origin;
