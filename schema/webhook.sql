-- Webhooks: senders that post deployments, issues and pull requests, as Apache DevLake names the table.

create table _tool_webhook_connections (
    id ubigint not null auto,
    name varchar(100),
    primary key (id),
    unique index (name)
) times control;
