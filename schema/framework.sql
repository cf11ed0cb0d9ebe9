-- The framework's own tables, as Apache DevLake names them (dialect: docs/connectors.md, "Tables").
-- `api_key` holds a digest, so it is not `secret`: it is compared, never decrypted.

create table _devlake_api_keys (
    id ubigint not null auto,
    creator varchar(255),
    creator_email varchar(255),
    updater varchar(255),
    updater_email varchar(255),
    name varchar(255),
    api_key varchar(255),
    expired_at datetime,
    allowed_path varchar(255),
    type varchar(40),
    extra varchar(255),
    primary key (id),
    unique index (api_key),
    unique index (name),
    index (extra),
    index (type)
) times;

create table _devlake_blueprint_connections (
    blueprint_id ubigint not null,
    plugin_name varchar(255) not null,
    connection_id ubigint not null,
    primary key (blueprint_id, plugin_name, connection_id)
);

create table _devlake_blueprint_labels (
    blueprint_id ubigint not null,
    name varchar(191) not null,
    primary key (blueprint_id, name),
    index (name)
) times;

create table _devlake_blueprint_scopes (
    blueprint_id ubigint not null,
    plugin_name varchar(255) not null,
    connection_id ubigint not null,
    scope_id varchar(255) not null,
    primary key (blueprint_id, plugin_name, connection_id, scope_id)
);

create table _devlake_blueprints (
    name text,
    enable boolean,
    cron_config text,
    id ubigint not null auto,
    mode text,
    is_manual boolean,
    plan text secret,
    skip_on_fail boolean,
    project_name varchar(255),
    before_plan blob secret,
    after_plan blob secret,
    time_after datetime,
    full_sync boolean,
    skip_collectors boolean,
    priority bigint,
    primary key (id)
) times;

create table _devlake_collector_latest_state (
    raw_data_params varchar(255) not null,
    raw_data_table varchar(255) not null,
    latest_success_start datetime,
    time_after datetime,
    primary key (raw_data_params, raw_data_table),
    index (raw_data_params)
) times;

create table _devlake_locking_history (
    id ubigint not null auto,
    host_name text,
    version text,
    succeeded boolean,
    primary key (id)
) times unsaved;

create table _devlake_locking_stub (
    stub varchar(255) not null,
    primary key (stub)
) unsaved;

create table _devlake_migration_history (
    created_at datetime,
    script_version ubigint not null,
    script_name varchar(255) not null,
    comment text,
    primary key (script_version, script_name)
) unsaved;

create table _devlake_notifications (
    id ubigint not null auto,
    type text,
    endpoint text,
    nonce text,
    response_code bigint,
    response text,
    data text,
    primary key (id)
) times;

create table _devlake_pipeline_labels (
    pipeline_id ubigint not null,
    name varchar(191) not null,
    primary key (pipeline_id, name),
    index (name)
) times;

create table _devlake_pipelines (
    id ubigint not null auto,
    name varchar(191),
    blueprint_id ubigint,
    total_tasks bigint,
    finished_tasks bigint,
    began_at datetime,
    finished_at datetime,
    status text,
    message text,
    spent_seconds bigint,
    stage bigint,
    plan text secret,
    skip_on_fail boolean,
    error_name text,
    full_sync boolean,
    skip_collectors boolean,
    time_after datetime,
    priority bigint,
    primary key (id),
    index (finished_at),
    index (name)
) times;

create table _devlake_store (
    store_key varchar(255) not null,
    store_value json,
    primary key (store_key)
) times;

create table _devlake_subtask_states (
    plugin varchar(255) not null,
    subtask varchar(255) not null,
    params varchar(255) not null,
    prev_config text,
    time_after datetime,
    prev_started_at datetime,
    primary key (plugin, subtask, params),
    index (params)
) times;

create table _devlake_subtasks (
    id ubigint not null auto,
    task_id ubigint,
    name varchar(191),
    number bigint,
    began_at datetime,
    finished_at datetime,
    spent_seconds bigint,
    finished_records bigint,
    sequence bigint,
    is_collector boolean,
    is_failed boolean,
    message text,
    primary key (id),
    index (finished_at),
    index (name),
    index (task_id)
) times;

create table _devlake_tasks (
    id ubigint not null auto,
    plugin varchar(191),
    status text,
    message text,
    progress float,
    failed_sub_task text,
    pipeline_id ubigint,
    pipeline_row bigint,
    pipeline_col bigint,
    began_at datetime,
    finished_at datetime,
    spent_seconds bigint,
    error_name text,
    options text secret,
    subtasks json,
    primary key (id),
    index (finished_at),
    index (pipeline_id),
    index (plugin)
) times;

create table auth_sessions (
    jti varchar(36) not null,
    sub varchar(255),
    email varchar(255),
    name varchar(255),
    issued_at datetime not null,
    expires_at datetime not null,
    revoked_at datetime,
    last_seen_at datetime,
    primary key (jti),
    index (expires_at),
    index (revoked_at),
    index (sub)
) control;

create table project_metric_settings (
    project_name varchar(255) not null,
    plugin_name varchar(255) not null,
    enable boolean,
    plugin_option json,
    primary key (project_name, plugin_name)
) origin control;

create table projects (
    name varchar(255) not null,
    description text,
    primary key (name)
) origin control;
