-- The tool tables of GitHub: names, columns and keys as in Apache DevLake.

create table _tool_github_connections (
    id ubigint not null auto, name varchar(100), endpoint text, proxy text, rate_limit_per_hour bigint, auth_method text, token text secret,
    app_id text, secret_key text secret, installation_id bigint, refresh_token text secret, token_expires_at datetime,
    refresh_token_expires_at datetime, enable_graphql boolean,
    primary key (id), unique index (name)
) times;

create table _tool_github_scope_configs (
    id ubigint not null auto, entities json, connection_id ubigint, name varchar(255), pr_type varchar(255), pr_component varchar(255),
    pr_body_close_pattern varchar(255), issue_severity varchar(255), issue_priority varchar(255), issue_component varchar(255),
    issue_type_bug varchar(255), issue_type_incident varchar(255), issue_type_requirement varchar(255), deployment_pattern varchar(255),
    production_pattern varchar(255), env_name_pattern varchar(255), refdiff json, pr_size_excluded_file_extensions json,
    primary key (id), index (connection_id), unique index (name)
) times;

create table _tool_github_repos (
    connection_id ubigint not null, scope_config_id ubigint, github_id bigint not null, name varchar(255), full_name varchar(255),
    html_url varchar(255), description text, owner_id bigint, language varchar(255), parent_github_id bigint, parent_html_url text,
    clone_url varchar(255), created_date datetime, updated_date datetime,
    primary key (connection_id, github_id)
) origin;

create table _tool_github_accounts (
    connection_id ubigint not null, id bigint not null, login varchar(255), name varchar(255), company varchar(255), email varchar(255),
    avatar_url varchar(255), url varchar(255), html_url varchar(255), type varchar(255),
    primary key (connection_id, id)
) origin shared;

create table _tool_github_account_orgs (
    connection_id ubigint not null, account_id bigint not null, org_id bigint not null, org_login varchar(255),
    primary key (connection_id, account_id, org_id)
) origin shared;

create table _tool_github_repo_accounts (
    connection_id ubigint not null, account_id bigint not null, repo_github_id bigint not null, login varchar(255),
    primary key (connection_id, account_id, repo_github_id)
) origin shared;

create table _tool_github_issues (
    connection_id ubigint not null, github_id bigint not null, repo_id bigint, number bigint, state varchar(255), title text, body text,
    priority varchar(255), type varchar(500), std_type varchar(100), author_id bigint, author_name varchar(255), assignee_id bigint,
    assignee_name varchar(255), milestone_id bigint, lead_time_minutes ubigint, url varchar(255), closed_at datetime, github_created_at datetime,
    github_updated_at datetime, severity varchar(255), component text,
    primary key (connection_id, github_id), index (github_updated_at), index (milestone_id), index (number), index (repo_id)
) origin;

create table _tool_github_issue_labels (
    connection_id ubigint not null, issue_id bigint not null, label_name varchar(255) not null,
    primary key (connection_id, issue_id, label_name)
) origin;

create table _tool_github_issue_assignees (
    connection_id ubigint not null, issue_id bigint not null, repo_id bigint not null, assignee_id bigint not null, assignee_name varchar(255),
    primary key (connection_id, issue_id, repo_id, assignee_id)
) origin;

create table _tool_github_issue_comments (
    connection_id ubigint not null, github_id bigint not null, issue_id bigint, body text, author_username varchar(255), author_user_id bigint,
    github_created_at datetime, github_updated_at datetime,
    primary key (connection_id, github_id), index (github_updated_at), index (issue_id)
) origin;

create table _tool_github_issue_events (
    connection_id ubigint not null, github_id bigint not null, issue_id bigint, type varchar(255), author_username varchar(255),
    github_created_at datetime,
    primary key (connection_id, github_id), index (github_created_at), index (issue_id)
) origin;

create table _tool_github_milestones (
    connection_id ubigint not null, milestone_id bigint not null, repo_id bigint, number bigint, url text, title text, open_issues bigint,
    closed_issues bigint, state text, github_created_at datetime, github_updated_at datetime, closed_at datetime,
    primary key (connection_id, milestone_id)
) origin;

create table _tool_github_pull_requests (
    connection_id ubigint not null, github_id bigint not null, repo_id bigint, head_repo_id bigint, number bigint, state varchar(255), title text,
    github_created_at datetime, github_updated_at datetime, closed_at datetime, additions bigint, deletions bigint, comments bigint, commits bigint,
    review_comments bigint, is_draft boolean, merged boolean, merged_at datetime, body text, type varchar(255), component varchar(255),
    merge_commit_sha varchar(40), head_ref varchar(255), base_ref varchar(255), base_commit_sha varchar(255), head_commit_sha varchar(255),
    url varchar(255), author_name varchar(100), author_id bigint, merged_by_name varchar(100), merged_by_id bigint,
    primary key (connection_id, github_id), index (github_updated_at), index (number), index (repo_id)
) origin;

create table _tool_github_pull_request_labels (
    connection_id ubigint not null, pull_id bigint not null, label_name varchar(255) not null,
    primary key (connection_id, pull_id, label_name)
) origin;

create table _tool_github_pull_request_comments (
    connection_id ubigint not null, github_id bigint not null, pull_request_id bigint, body text, author_username varchar(255), author_user_id bigint,
    commit_sha varchar(255), github_created_at datetime, github_updated_at datetime, review_id bigint, type varchar(255),
    primary key (connection_id, github_id), index (github_updated_at), index (pull_request_id), index (type)
) origin;

create table _tool_github_pull_request_reviews (
    connection_id ubigint not null, github_id bigint not null, pull_request_id bigint, body text, author_username varchar(255), author_user_id bigint,
    commit_sha text, github_submit_at datetime, state text,
    primary key (connection_id, github_id), index (pull_request_id)
) origin;

create table _tool_github_reviewers (
    connection_id ubigint not null, reviewer_id bigint not null, pull_request_id bigint not null, name varchar(255), username varchar(255),
    state varchar(255), avatar_url varchar(255), web_url varchar(255),
    primary key (connection_id, reviewer_id, pull_request_id)
) origin;

create table _tool_github_pull_request_commits (
    connection_id ubigint not null, commit_sha varchar(40) not null, pull_request_id bigint not null, commit_author_name varchar(255),
    commit_author_email varchar(255), commit_authored_date datetime,
    primary key (connection_id, commit_sha, pull_request_id)
) origin;

create table _tool_github_pull_request_issues (
    connection_id ubigint not null, pull_request_id bigint not null, issue_id bigint not null, pull_request_number bigint, issue_number bigint,
    primary key (connection_id, pull_request_id, issue_id)
) origin;

-- A commit belongs to every repository and fork that has it: the key has no connection.
create table _tool_github_commits (
    sha varchar(40) not null, author_id bigint, author_name varchar(255), author_email varchar(255), authored_date datetime, committer_id bigint,
    committer_name varchar(255), committer_email varchar(255), committed_date datetime, message text, url varchar(255), additions bigint,
    deletions bigint,
    primary key (sha)
) origin shared;

create table _tool_github_repo_commits (
    connection_id ubigint not null, repo_id bigint not null, commit_sha varchar(40) not null,
    primary key (connection_id, repo_id, commit_sha)
) origin shared;

create table _tool_github_commit_stats (
    connection_id ubigint not null, sha varchar(40) not null, additions bigint, deletions bigint, committed_date datetime,
    primary key (connection_id, sha), index (committed_date)
) origin shared;

create table _tool_github_runs (
    connection_id ubigint not null, repo_id bigint not null, id bigint not null, name text, node_id varchar(255), head_branch varchar(255),
    head_sha varchar(255), path varchar(255), run_number bigint, event varchar(255), status varchar(255), conclusion varchar(255), workflow_id bigint,
    check_suite_id bigint, check_suite_node_id varchar(255), display_title text, url varchar(255), html_url varchar(255), github_created_at datetime,
    github_updated_at datetime, run_attempt bigint, run_started_at datetime, jobs_url varchar(255), logs_url varchar(255),
    check_suite_url varchar(255), artifacts_url varchar(255), cancel_url varchar(255), rerun_url varchar(255), workflow_url varchar(255),
    type varchar(255), environment varchar(255),
    primary key (connection_id, repo_id, id)
) origin;

create table _tool_github_jobs (
    connection_id ubigint not null, repo_id bigint not null, id bigint not null, run_id bigint, run_url varchar(255), node_id varchar(255),
    head_sha varchar(255), url varchar(255), html_url varchar(255), status varchar(255), conclusion varchar(255), started_at datetime,
    completed_at datetime, name varchar(255), steps json, check_run_url varchar(255), labels json, runner_id bigint, runner_name varchar(255),
    runner_group_id bigint, type varchar(255), environment varchar(255),
    primary key (connection_id, repo_id, id)
) origin;

create table _tool_github_deployments (
    connection_id ubigint not null, github_id bigint, id varchar(255) not null, display_title text, url text, database_id ubigint,
    commit_oid varchar(255), description varchar(255), environment varchar(255), state varchar(255), latest_status_state varchar(255),
    latest_updated_date datetime, repository_id varchar(255), repository_name varchar(255), repository_url varchar(255), ref_name varchar(255),
    payload text, finished_date datetime, created_date datetime, updated_date datetime,
    primary key (connection_id, id)
) origin;

create table _tool_github_releases (
    connection_id ubigint not null, github_id bigint, id varchar(255) not null, author_name text, author_id text, database_id bigint,
    description text, description_html text, is_draft boolean, is_latest boolean, is_prerelease boolean, name text, published_at datetime,
    resource_path text, tag_name text, commit_sha text, url text,
    primary key (connection_id, id)
) origin;
