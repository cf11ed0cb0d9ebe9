-- The tool tables of Jenkins: names, columns and keys as in Apache DevLake.

create table _tool_jenkins_connections (
    id ubigint not null auto, name varchar(100), endpoint text, proxy text, rate_limit_per_hour bigint, username text, password text secret,
    primary key (id), unique index (name)
) times;

create table _tool_jenkins_scope_configs (
    id ubigint not null auto, entities json, connection_id ubigint, name varchar(255), deployment_pattern varchar(255),
    production_pattern varchar(255),
    primary key (id), unique index (name)
) times;

-- Scopes, and the jobs of multi-branch scopes.
create table _tool_jenkins_jobs (
    connection_id ubigint not null, scope_config_id ubigint, full_name varchar(255) not null, name varchar(255), path varchar(511),
    class varchar(255), color varchar(255), base varchar(255), url text, description text, primary_view varchar(255),
    primary key (connection_id, full_name), index (name), index (path)
) origin;

create table _tool_jenkins_builds (
    connection_id ubigint not null, job_name varchar(255), job_path varchar(255), duration double, full_name varchar(255) not null,
    estimated_duration double, number bigint, result text, timestamp bigint, start_time datetime, type varchar(255), class varchar(255),
    triggered_by varchar(255), building boolean, has_stages boolean,
    primary key (connection_id, full_name), index (number), index (type), index (class), index (job_name), index (job_path)
) origin;

create table _tool_jenkins_build_commits (
    connection_id ubigint not null, build_name varchar(255) not null, commit_sha varchar(255) not null, branch varchar(255),
    repo_url varchar(255), number bigint,
    primary key (connection_id, build_name, commit_sha), index (number)
) origin;

create table _tool_jenkins_stages (
    connection_id ubigint not null, id varchar(255) not null, name varchar(255), exec_node varchar(255), status varchar(255),
    start_time_millis bigint, duration_millis bigint, pause_duration_millis bigint, build_name varchar(255) not null, type varchar(255),
    primary key (connection_id, id, build_name), index (type)
) origin;

-- Never filled; the first column is spelled so in DevLake.
create table _tool_jenkins_job_dags (
    connetion_id ubigint not null, upstream_job varchar(255) not null, downstream_job varchar(255) not null,
    primary key (connetion_id, upstream_job, downstream_job)
) origin;
