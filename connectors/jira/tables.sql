-- The tool tables of Jira: names, columns and keys as in Apache DevLake.

create table _tool_jira_connections (
    id ubigint not null auto, name varchar(100), endpoint text, proxy text, rate_limit_per_hour bigint, auth_method varchar(20),
    username text, password text secret, token text secret,
    primary key (id), unique index (name)
) times;

create table _tool_jira_scope_configs (
    id ubigint not null auto, entities json, connection_id ubigint, name varchar(255), epic_key_field varchar(255),
    story_point_field varchar(255), remotelink_commit_sha_pattern varchar(255), remotelink_repo_pattern json, type_mappings json,
    application_type varchar(255), due_date_field varchar(255),
    primary key (id), index (connection_id), unique index (name)
) times;

create table _tool_jira_boards (
    connection_id ubigint not null, scope_config_id ubigint, board_id ubigint not null, project_id ubigint, name varchar(255),
    self varchar(255), type varchar(100), jql text,
    primary key (connection_id, board_id)
) origin;

create table _tool_jira_server_infos (
    connection_id ubigint not null, base_url text, build_date text, build_number bigint, deployment_type varchar(255), scm_info text,
    server_time text, server_title text, version text, version_numbers json,
    primary key (connection_id)
) times shared;

create table _tool_jira_projects (
    connection_id ubigint not null, id varchar(255) not null, project_key varchar(255), name varchar(255),
    primary key (connection_id, id)
) origin;

create table _tool_jira_statuses (
    connection_id ubigint not null, id varchar(191) not null, name text, self text, status_category text,
    primary key (connection_id, id)
) origin;

create table _tool_jira_issue_types (
    connection_id ubigint not null, self varchar(255), id varchar(255) not null, description text, icon_url varchar(255),
    name varchar(255), untranslated_name varchar(255), subtask boolean, avatar_id ubigint, hierarchy_level bigint,
    primary key (connection_id, id)
) origin;

create table _tool_jira_issue_fields (
    connection_id ubigint not null, board_id ubigint not null, id varchar(191) not null, name text, custom boolean, orderable boolean,
    navigable boolean, searchable boolean, schema_type text, schema_items text, schema_custom text, schema_custom_id bigint,
    sche_custom_system text,
    primary key (connection_id, board_id, id)
) origin;

create table _tool_jira_accounts (
    connection_id ubigint not null, account_id varchar(100) not null, account_type varchar(100), name varchar(255), email varchar(255),
    avatar_url varchar(255), timezone varchar(255),
    primary key (connection_id, account_id)
) origin shared;

create table _tool_jira_issues (
    connection_id ubigint not null, issue_id ubigint not null, project_id ubigint, project_name varchar(255), self varchar(255),
    icon_url varchar(255), issue_key varchar(255), summary text, description text, type varchar(255), epic_key varchar(255),
    status_name varchar(255), status_key varchar(255), story_point double, original_estimate_minutes bigint,
    aggregate_estimate_minutes bigint, remaining_estimate_minutes bigint, creator_account_id varchar(255),
    creator_account_type varchar(255), creator_display_name varchar(255), assignee_account_id varchar(255),
    assignee_account_type varchar(255), assignee_display_name varchar(255), priority_id ubigint, priority_name varchar(255),
    parent_id ubigint, parent_key varchar(255), sprint_id ubigint, sprint_name varchar(255), resolution_date datetime, created datetime,
    updated datetime, spent_minutes bigint, comment_total bigint, lead_time_minutes ubigint, std_type varchar(255),
    std_status varchar(255), components text, subtask boolean, changelog_total bigint, worklog_total bigint, due_date datetime,
    fix_versions text,
    primary key (connection_id, issue_id), index (updated)
) origin;

-- Of our own: embedded lists (changelog, worklog, comment) that hold only a part.
create table _tool_jira_cut_lists (
    connection_id ubigint not null, issue_id ubigint not null, list varchar(20) not null,
    primary key (connection_id, issue_id, list)
) origin;

create table _tool_jira_board_issues (
    connection_id ubigint not null, board_id ubigint not null, issue_id ubigint not null,
    primary key (connection_id, board_id, issue_id)
) origin;

create table _tool_jira_issue_labels (
    connection_id ubigint not null, issue_id ubigint not null, label_name varchar(255) not null,
    primary key (connection_id, issue_id, label_name)
) origin;

create table _tool_jira_issue_relationships (
    connection_id ubigint not null, issue_id ubigint not null, issue_key varchar(255), type_id ubigint, type_name varchar(255),
    inward varchar(255), outward varchar(255), inward_issue_id ubigint not null, inward_issue_key varchar(255),
    outward_issue_id ubigint not null, outward_issue_key varchar(255),
    primary key (connection_id, issue_id, inward_issue_id, outward_issue_id)
) origin;

create table _tool_jira_issue_changelogs (
    connection_id ubigint not null, changelog_id ubigint not null, issue_id ubigint, author_account_id varchar(255),
    author_display_name varchar(255), author_active boolean, created datetime, issue_updated datetime,
    primary key (connection_id, changelog_id), index (created), index (issue_id)
) origin;

create table _tool_jira_issue_changelog_items (
    connection_id ubigint not null, changelog_id ubigint not null, field varchar(191) not null, field_type text, field_id text,
    from_value text, from_string text, to_value text, to_string text, tmp_from_account_id text, tmp_to_account_id text,
    primary key (connection_id, changelog_id, field)
) origin;

create table _tool_jira_issue_comments (
    connection_id ubigint not null, issue_id ubigint not null, coment_id varchar(191) not null, self varchar(255), body text,
    creator_account_id varchar(255), creator_display_name varchar(255), created datetime, updated datetime, issue_updated datetime,
    primary key (connection_id, issue_id, coment_id)
) origin;

create table _tool_jira_worklogs (
    connection_id ubigint not null, issue_id ubigint not null, worklog_id varchar(255) not null, author_id varchar(255),
    update_author_id varchar(255), time_spent varchar(255), time_spent_seconds bigint, updated datetime, started datetime,
    issue_updated datetime,
    primary key (connection_id, issue_id, worklog_id)
) origin;

create table _tool_jira_remotelinks (
    connection_id ubigint not null, remotelink_id ubigint not null, issue_id ubigint, raw_json blob, self text, title text, url text,
    issue_updated datetime,
    primary key (connection_id, remotelink_id), index (issue_id)
) origin;

create table _tool_jira_issue_commits (
    connection_id ubigint not null, issue_id ubigint not null, commit_sha varchar(40) not null, commit_url text, repo_url text,
    primary key (connection_id, issue_id, commit_sha)
) origin;

create table _tool_jira_sprints (
    connection_id ubigint not null, sprint_id ubigint not null, self varchar(255), state varchar(255), name varchar(255),
    start_date datetime, end_date datetime, complete_date datetime, origin_board_id ubigint,
    primary key (connection_id, sprint_id)
) origin;

create table _tool_jira_board_sprints (
    connection_id ubigint not null, board_id ubigint not null, sprint_id ubigint not null,
    primary key (connection_id, board_id, sprint_id)
) origin;

create table _tool_jira_sprint_issues (
    connection_id ubigint not null, sprint_id ubigint not null, issue_id ubigint not null, resolution_date datetime,
    issue_created_date datetime,
    primary key (connection_id, sprint_id, issue_id)
) origin;
