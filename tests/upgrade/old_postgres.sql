-- A small database of Apache DevLake v0.17 on PostgreSQL, written by hand: no real one could be had. {...} are filled in by the test.
create table _devlake_migration_history (created_at timestamptz, script_version bigint not null, script_name varchar(255) not null, comment text,
  primary key (script_version, script_name));
insert into _devlake_migration_history select now(), v, 'script ' || v, 'Framework' from unnest(array[20220406212344, 20220616110537, 20220622110537,
  20220707232344, 20220715000001, 20220714201237, 20220716201138, 20220904142321, 20220904162121, 20221221162121, 20230301000082, 20230426150702,
  20230625110339]::bigint[]) v;
create table _devlake_locking_history (id bigserial primary key, hostname text, version text, succeeded boolean, created_at timestamptz, updated_at timestamptz);
create table _devlake_locking_stub (stub text);

create table _devlake_blueprints (name text, enable boolean, cron_config text, id bigserial primary key, created_at timestamptz, updated_at timestamptz, mode varchar(20),
  is_manual boolean, plan text, settings text, skip_on_fail boolean, project_name varchar(255));
create index idx__devlake_blueprints_name on _devlake_blueprints (name);
insert into _devlake_blueprints (name, enable, cron_config, created_at, updated_at, mode, is_manual, plan, settings, skip_on_fail, project_name) values
  ('weekly', true, '0 0 * * 1', '2023-01-01 00:00:00+00', '2023-01-02 00:00:00+00', 'NORMAL', false, '{plan}', '{settings}', true, 'one'),
  ('by hand', false, '0 12 * * 1', '2023-01-01 00:00:00+00', '2023-01-02 00:00:00+00', 'ADVANCED', true, '{plan}', '{nothing}', false, '');
create table _devlake_pipelines (id bigserial primary key, created_at timestamptz, updated_at timestamptz, name text, blueprint_id bigint, total_tasks bigint, finished_tasks bigint,
  began_at timestamptz, finished_at timestamptz, status text, message text, spent_seconds bigint, stage bigint, plan text, skip_on_fail boolean, error_name text);
insert into _devlake_pipelines (name, blueprint_id, total_tasks, finished_tasks, status, message, spent_seconds, stage, plan, skip_on_fail)
  values ('run', 1, 1, 1, 'TASK_COMPLETED', '', 3, 1, '{plan}', false);
create table _devlake_tasks (id bigserial primary key, created_at timestamptz, updated_at timestamptz, plugin text, status text, message text, progress decimal, failed_sub_task text,
  pipeline_id bigint, pipeline_row bigint, pipeline_col bigint, began_at timestamptz, finished_at timestamptz, spent_seconds bigint, subtasks text, error_name text, options text);
insert into _devlake_tasks (plugin, status, progress, pipeline_id, pipeline_row, pipeline_col, subtasks, options) values ('github', 'TASK_COMPLETED', 1, 1, 1, 1, 'null', '{options}');

create table projects (name varchar(255) primary key, description text, created_at timestamptz, updated_at timestamptz, _raw_data_params varchar(255), _raw_data_table varchar(255),
  _raw_data_id bigint, _raw_data_remark text);
insert into projects (name, description) values ('one', 'the first');
-- As DevLake leaves it: the key kept the name of the table before.
create table project_metric_settings (project_name varchar(255), plugin_name varchar(255), plugin_option text, created_at timestamptz, updated_at timestamptz,
  _raw_data_params varchar(255), _raw_data_table varchar(255), _raw_data_id bigint, _raw_data_remark text, enable boolean,
  constraint project_metrics_pkey primary key (project_name, plugin_name));
create index idx_project_metrics_raw_data_params on project_metric_settings (_raw_data_params);
insert into project_metric_settings (project_name, plugin_name, plugin_option, enable) values ('one', 'dora', '', true);

create table _tool_github_connections (id bigserial primary key, created_at timestamptz, updated_at timestamptz, name varchar(100) unique, endpoint varchar(255), proxy varchar(255),
  rate_limit_per_hour bigint, token text, enable_graphql boolean);
insert into _tool_github_connections (name, endpoint, proxy, rate_limit_per_hour, token, enable_graphql) values ('hub', 'https://api.github.com/', '', 4500, '{token}', true);
create table _tool_github_transformation_rules (id bigserial primary key, created_at timestamptz, updated_at timestamptz, name varchar(255), pr_type varchar(255), pr_component varchar(255),
  pr_body_close_pattern varchar(255), issue_severity varchar(255), issue_priority varchar(255), issue_component varchar(255), issue_type_bug varchar(255), issue_type_incident varchar(255),
  issue_type_requirement varchar(255), deployment_pattern varchar(255), production_pattern varchar(255), refdiff bytea, connection_id bigint);
create unique index idx_name_github on _tool_github_transformation_rules (name, connection_id);
insert into _tool_github_transformation_rules (name, pr_type, deployment_pattern, refdiff, connection_id) values ('rule', 'type/(.*)$', '(?i)deploy', '{"tagsLimit":10}', 1);
create table _tool_github_repos (connection_id bigint, github_id bigint, html_url varchar(255), description text, owner_id bigint, language varchar(255), parent_github_id bigint,
  parent_html_url varchar(255), created_date timestamptz, updated_date timestamptz, created_at timestamptz, updated_at timestamptz, _raw_data_params varchar(255), _raw_data_table varchar(255),
  _raw_data_id bigint, _raw_data_remark text, transformation_rule_id bigint, clone_url varchar(255), name varchar(255), primary key (connection_id, github_id));
insert into _tool_github_repos (connection_id, github_id, name, clone_url, transformation_rule_id) values (1, 384111310, 'octo/alpha', 'https://x/octo/alpha.git', 1), (1, 2, 'octo/beta', '', 0);
create table _tool_jira_connections (id bigserial primary key, created_at timestamptz, updated_at timestamptz, name varchar(100) unique, endpoint varchar(255), proxy varchar(255),
  rate_limit_per_hour bigint, username varchar(255), password text, auth_method varchar(20), token varchar(255));
insert into _tool_jira_connections (name, endpoint, proxy, rate_limit_per_hour, username, password, auth_method, token) values ('tickets', 'https://j/rest/', '', 0, 'ann', '{password}', 'BasicAuth', '{nothing}');
create table _tool_jenkins_connections (id bigserial primary key, created_at timestamptz, updated_at timestamptz, name varchar(100) unique, endpoint varchar(255), proxy varchar(255),
  rate_limit_per_hour bigint, username varchar(255), password text);
create table _tool_webhook_connections (name varchar(255), id bigserial primary key, created_at timestamptz, updated_at timestamptz);
insert into _tool_webhook_connections (name) values ('hook');
create table _tool_gitlab_projects (connection_id bigint, gitlab_id bigint, name text, transformation_rule_id bigint, primary key (connection_id, gitlab_id));
insert into _tool_gitlab_projects values (1, 7, 'left alone', 3);

create table issues (id varchar(255) primary key, created_at timestamptz, updated_at timestamptz, _raw_data_params varchar(255), _raw_data_table varchar(255), _raw_data_id bigint,
  _raw_data_remark text, url varchar(255), icon_url varchar(255), issue_key varchar(255), title text, description text, epic_key varchar(255), type varchar(100), original_type varchar(100),
  status varchar(100), original_status varchar(100), resolution_date timestamptz, created_date timestamptz, updated_date timestamptz, lead_time_minutes bigint, parent_issue_id varchar(255),
  priority varchar(255), story_point double precision, original_estimate_minutes bigint, time_spent_minutes bigint, time_remaining_minutes bigint, creator_id varchar(255),
  creator_name varchar(255), assignee_id varchar(255), assignee_name varchar(255), severity varchar(255), component varchar(255), original_project varchar(255));
create index idx_issues_raw_data_params on issues (_raw_data_params);
insert into issues (id, title, lead_time_minutes, created_date) select 'github:GithubIssue:1:' || n, E'title\t' || n || E'\nline \\', n, '2023-05-01 10:00:00+02'::timestamptz + n * interval '1 hour'
  from generate_series(1, 50) n;
create table pull_request_comments (id varchar(255) primary key, pull_request_id varchar(100), body text, account_id varchar(255), "position" bigint);
insert into pull_request_comments values ('c1', 'p1', 'text', 'a', 1);
create table project_issue_metrics (id varchar(255), project_name varchar(100), deployment_id varchar(255), primary key (id, project_name));
insert into project_issue_metrics values ('i', 'one', 'd');
create table _raw_github_api_issues (id bigserial primary key, params varchar(255), data bytea, url text, input json, created_at timestamptz);
create index idx__raw_github_api_issues_params on _raw_github_api_issues (params);
insert into _raw_github_api_issues (params, data, url, input) values ('p', '\x7b7d', 'u', '{"a":1}'), ('p', '\x5b5d', 'u', null);

create table shop (id serial primary key, name text not null check (name <> ''), made timestamptz default now());
insert into shop (name) values ('a'), ('b');
create view shop_names as select name from shop;
