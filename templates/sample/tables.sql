-- The settings of Sample (the program keeps them) and the rows that are extracted.

create table _tool_sample_connections (
    id ubigint not null auto, name varchar(100), endpoint text, proxy text, rate_limit_per_hour bigint, token text secret,
    primary key (id), unique index (name)
) times;

create table _tool_sample_scope_configs (
    id ubigint not null auto, entities json, connection_id ubigint, name varchar(255), issue_type_bug varchar(255),
    primary key (id), unique index (name)
) times;

create table _tool_sample_projects (
    connection_id ubigint not null, scope_config_id ubigint, id bigint not null, name varchar(255), url varchar(255),
    primary key (connection_id, id)
) origin;

create table _tool_sample_tasks (
    connection_id ubigint not null, id bigint not null, project_id bigint, title text, state varchar(100), labels text, type varchar(100),
    url varchar(255), created_date datetime, updated_date datetime, closed_date datetime,
    primary key (connection_id, id), index (project_id)
) origin;
