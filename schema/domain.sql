-- The domain tables, as Apache DevLake names them (dialect: docs/connectors.md, "Tables").
-- Where DevLake's models and its migrations disagree, the type that holds more is taken, so that nothing is cut.
-- A column that is `text` for this reason has no index: MySQL has none on it either.

create table accounts (
    id varchar(255) not null,
    email varchar(255),
    full_name varchar(255),
    user_name varchar(255),
    avatar_url varchar(255),
    organization varchar(255),
    created_date datetime,
    status bigint,
    primary key (id)
) origin shared;

create table board_issues (
    board_id varchar(255) not null,
    issue_id varchar(255) not null,
    primary key (board_id, issue_id)
) origin;

create table board_repos (
    board_id varchar(255) not null,
    repo_id varchar(255) not null,
    primary key (board_id, repo_id)
) origin;

create table board_sprints (
    board_id varchar(255) not null,
    sprint_id varchar(255) not null,
    primary key (board_id, sprint_id)
) origin;

create table boards (
    id varchar(255) not null,
    name varchar(255),
    description text,
    url varchar(255),
    created_date datetime,
    type varchar(255),
    primary key (id)
) origin;

create table calendar_months (
    month varchar(20) not null,
    month_timestamp datetime,
    primary key (month)
) shared;

create table cicd_deployment_commits (
    id varchar(255) not null,
    cicd_scope_id varchar(255),
    cicd_deployment_id varchar(255),
    name varchar(255),
    display_title text,
    url text,
    result varchar(100),
    status varchar(100),
    original_status varchar(100),
    original_result varchar(100),
    environment varchar(255),
    original_environment varchar(255),
    created_date datetime,
    queued_date datetime,
    started_date datetime,
    finished_date datetime,
    duration_sec double,
    queued_duration_sec double,
    commit_sha varchar(255) not null,
    commit_msg text,
    ref_name varchar(255),
    repo_id varchar(255),
    repo_url varchar(500),
    prev_success_deployment_commit_id varchar(255),
    subtask_name varchar(255),
    primary key (id, commit_sha),
    index (cicd_scope_id),
    index (repo_url)
) origin;

create table cicd_deployments (
    id varchar(255) not null,
    cicd_scope_id varchar(255),
    name text,
    display_title text,
    url text,
    result varchar(100),
    status varchar(100),
    original_status varchar(100),
    original_result varchar(100),
    environment varchar(255),
    original_environment varchar(255),
    created_date datetime,
    queued_date datetime,
    started_date datetime,
    finished_date datetime,
    duration_sec double,
    queued_duration_sec double,
    subtask_name varchar(255),
    primary key (id),
    index (cicd_scope_id)
) origin;

create table cicd_pipeline_commits (
    pipeline_id varchar(255) not null,
    commit_sha varchar(255) not null,
    commit_msg text,
    display_title text,
    url text,
    branch varchar(255),
    repo_id varchar(255),
    repo_url text,
    primary key (pipeline_id, commit_sha),
    index (repo_id)
) origin;

create table cicd_pipelines (
    id varchar(255) not null,
    name text,
    display_title text,
    url text,
    result varchar(100),
    status varchar(100),
    original_status varchar(100),
    original_result varchar(100),
    type varchar(100),
    duration_sec double,
    queued_duration_sec double,
    environment varchar(255),
    created_date datetime,
    queued_date datetime,
    started_date datetime,
    finished_date datetime,
    cicd_scope_id text,
    is_child boolean,
    primary key (id)
) origin;

create table cicd_releases (
    id varchar(255) not null,
    published_at datetime,
    cicd_scope_id varchar(255),
    name varchar(255),
    display_title varchar(255),
    description text,
    url text,
    is_draft boolean,
    is_latest boolean,
    is_prerelease boolean,
    author_id varchar(255),
    repo_id varchar(255),
    tag_name text,
    commit_sha text,
    primary key (id),
    index (cicd_scope_id)
) origin;

create table cicd_scopes (
    id varchar(255) not null,
    name varchar(255),
    description text,
    url varchar(255),
    created_date datetime,
    updated_date datetime,
    primary key (id)
) origin;

create table cicd_tasks (
    id varchar(255) not null,
    name varchar(255),
    pipeline_id varchar(255),
    result varchar(100),
    status varchar(100),
    original_status varchar(100),
    original_result varchar(100),
    type varchar(100),
    environment varchar(255),
    duration_sec double,
    queued_duration_sec double,
    created_date datetime,
    queued_date datetime,
    started_date datetime,
    finished_date datetime,
    cicd_scope_id text,
    primary key (id),
    index (pipeline_id)
) origin;

create table commit_file_components (
    commit_file_id varchar(255) not null,
    component_name varchar(255),
    primary key (commit_file_id)
) origin shared;

create table commit_files (
    id varchar(255) not null,
    commit_sha varchar(40),
    file_path text,
    additions bigint,
    deletions bigint,
    primary key (id),
    index (commit_sha)
) origin shared;

create table commit_line_change (
    id varchar(255) not null,
    commit_sha varchar(40),
    new_file_path varchar(255),
    line_no_new bigint,
    line_no_old bigint,
    old_file_path varchar(255),
    hunk_num bigint,
    changed_type varchar(255),
    prev_commit varchar(255),
    primary key (id)
) origin shared;

create table commit_parents (
    commit_sha varchar(40) not null,
    parent_commit_sha varchar(40) not null,
    primary key (commit_sha, parent_commit_sha)
) origin shared;

create table commits (
    sha varchar(40) not null,
    additions bigint,
    deletions bigint,
    dev_eq bigint,
    message text,
    author_name varchar(255),
    author_email varchar(255),
    authored_date datetime,
    author_id varchar(255),
    committer_name varchar(255),
    committer_email varchar(255),
    committed_date datetime,
    committer_id varchar(255),
    primary key (sha),
    index (committer_id)
) origin shared;

create table commits_diffs (
    new_commit_sha varchar(40) not null,
    old_commit_sha varchar(40) not null,
    commit_sha varchar(40) not null,
    sorting_index bigint,
    primary key (new_commit_sha, old_commit_sha, commit_sha)
) shared;

create table components (
    repo_id varchar(255),
    name varchar(255) not null,
    path_regex varchar(255),
    primary key (name)
) shared;

create table cq_file_metrics (
    id varchar(255) not null,
    project_key varchar(500),
    file_name varchar(2000),
    file_path text,
    file_language varchar(20),
    code_smells bigint,
    sqale_index bigint,
    sqale_rating double,
    bugs bigint,
    reliability_rating varchar(20),
    vulnerabilities bigint,
    security_rating varchar(20),
    security_hotspots bigint,
    security_hotspots_reviewed double,
    security_review_rating varchar(20),
    ncloc bigint,
    uncovered_lines bigint,
    coverage double,
    lines_to_cover bigint,
    duplicated_lines_density double,
    duplicated_blocks bigint,
    duplicated_files bigint,
    duplicated_lines bigint,
    effort_to_reach_maintainability_rating_a bigint,
    complexity bigint,
    cognitive_complexity bigint,
    num_of_lines bigint,
    primary key (id),
    index (project_key)
) origin;

create table cq_issue_code_blocks (
    id varchar(255) not null,
    issue_key varchar(191),
    component varchar(191),
    start_line bigint,
    end_line bigint,
    start_offset bigint,
    end_offset bigint,
    msg text,
    primary key (id),
    index (component),
    index (issue_key)
) origin;

create table cq_issue_impacts (
    cq_issue_id varchar(255) not null,
    software_quality varchar(255) not null,
    severity varchar(100),
    primary key (cq_issue_id, software_quality)
) origin;

create table cq_issues (
    id varchar(255) not null,
    rule varchar(255),
    severity varchar(100),
    component text,
    project_key varchar(500),
    line bigint,
    status varchar(20),
    message text,
    debt bigint,
    effort bigint,
    commit_author_email varchar(255),
    assignee varchar(255),
    hash varchar(100),
    tags text,
    type varchar(100),
    scope varchar(255),
    start_line bigint,
    end_line bigint,
    start_offset bigint,
    end_offset bigint,
    vulnerability_probability varchar(100),
    security_category varchar(100),
    created_date datetime,
    updated_date datetime,
    primary key (id),
    index (project_key)
) origin;

create table cq_projects (
    id varchar(500) not null,
    name varchar(2000),
    qualifier varchar(255),
    visibility varchar(64),
    last_analysis_date datetime,
    commit_sha varchar(128),
    primary key (id)
) origin;

create table dora_benchmarks (
    id ubigint not null auto,
    metric varchar(255),
    low varchar(255),
    medium varchar(255),
    high varchar(255),
    elite varchar(255),
    dora_report varchar(20),
    primary key (id)
) times shared;

create table incident_assignees (
    incident_id varchar(255) not null,
    assignee_id varchar(255) not null,
    assignee_name varchar(255),
    primary key (incident_id, assignee_id)
) origin;

create table incidents (
    id varchar(255) not null,
    url varchar(255),
    incident_key varchar(255),
    title text,
    description text,
    status varchar(100),
    original_status varchar(100),
    resolution_date datetime,
    created_date datetime,
    updated_date datetime,
    lead_time_minutes ubigint,
    original_estimate_minutes bigint,
    time_spent_minutes bigint,
    time_remaining_minutes bigint,
    creator_id varchar(255),
    creator_name varchar(255),
    parent_incident_id varchar(255),
    priority varchar(255),
    severity varchar(255),
    urgency varchar(255),
    component varchar(255),
    original_project varchar(255),
    table varchar(255),
    scope_id varchar(255),
    assignee_id varchar(255),
    assignee_name varchar(255),
    primary key (id),
    index (table, scope_id)
) origin;

create table issue_assignee_history (
    issue_id varchar(255) not null,
    assignee varchar(255) not null,
    start_date datetime not null,
    end_date datetime,
    primary key (issue_id, assignee, start_date)
) origin;

create table issue_assignees (
    issue_id varchar(255) not null,
    assignee_id varchar(255) not null,
    assignee_name varchar(255),
    primary key (issue_id, assignee_id)
) origin;

create table issue_changelogs (
    id varchar(255) not null,
    issue_id varchar(255),
    author_id varchar(255),
    author_name varchar(255),
    field_id varchar(255),
    field_name varchar(255),
    original_from_value text,
    original_to_value text,
    from_value text,
    to_value text,
    created_date datetime,
    primary key (id),
    index (issue_id)
) origin;

create table issue_comments (
    id varchar(255) not null,
    issue_id varchar(191),
    body text,
    account_id varchar(255),
    created_date datetime,
    updated_date datetime,
    primary key (id),
    index (issue_id)
) origin;

create table issue_commits (
    issue_id varchar(255) not null,
    commit_sha varchar(255) not null,
    primary key (issue_id, commit_sha)
) origin;

create table issue_custom_array_fields (
    issue_id varchar(255) not null,
    field_id varchar(255) not null,
    field_value varchar(255) not null,
    primary key (issue_id, field_id, field_value)
) origin;

create table issue_labels (
    issue_id varchar(255) not null,
    label_name varchar(255) not null,
    primary key (issue_id, label_name)
) origin;

create table issue_relationships (
    source_issue_id varchar(255) not null,
    target_issue_id varchar(255) not null,
    original_type varchar(255) not null,
    primary key (source_issue_id, target_issue_id, original_type),
    index (source_issue_id)
) origin;

create table issue_repo_commits (
    issue_id varchar(255) not null,
    repo_url varchar(255) not null,
    commit_sha varchar(255) not null,
    host varchar(255),
    namespace varchar(255),
    repo_name varchar(255),
    primary key (issue_id, repo_url, commit_sha)
) origin;

create table issue_status_history (
    issue_id varchar(255) not null,
    status varchar(100),
    original_status varchar(255) not null,
    start_date datetime not null,
    end_date datetime,
    is_current_status boolean,
    is_first_status boolean,
    status_time_minutes integer,
    primary key (issue_id, original_status, start_date)
) origin;

create table issue_worklogs (
    id varchar(255) not null,
    author_id varchar(255),
    comment text,
    time_spent_minutes bigint,
    logged_date datetime,
    started_date datetime,
    issue_id varchar(255),
    primary key (id),
    index (issue_id)
) origin;

create table issues (
    id varchar(255) not null,
    url varchar(255),
    icon_url varchar(255),
    issue_key varchar(255),
    title text,
    description text,
    epic_key varchar(255),
    type varchar(100),
    original_type varchar(500),
    status varchar(100),
    original_status varchar(100),
    story_point double,
    resolution_date datetime,
    created_date datetime,
    updated_date datetime,
    lead_time_minutes bigint,
    original_estimate_minutes bigint,
    time_spent_minutes bigint,
    time_remaining_minutes bigint,
    creator_id varchar(255),
    creator_name varchar(255),
    assignee_id varchar(255),
    assignee_name varchar(255),
    parent_issue_id varchar(255),
    priority varchar(255),
    severity varchar(255),
    urgency varchar(255),
    component text,
    original_project varchar(255),
    is_subtask boolean,
    due_date datetime,
    fix_versions text,
    primary key (id)
) origin;

create table project_incident_deployment_relationships (
    id varchar(255) not null,
    project_name varchar(100) not null,
    deployment_id text,
    primary key (id, project_name)
) origin;

create table project_mapping (
    project_name varchar(255) not null,
    table varchar(255) not null,
    row_id varchar(255) not null,
    primary key (project_name, table, row_id)
) origin;

create table project_pr_metrics (
    id varchar(255) not null,
    project_name varchar(100) not null,
    first_commit_sha text,
    pr_coding_time bigint,
    first_review_id text,
    pr_pickup_time bigint,
    pr_review_time bigint,
    deployment_commit_id text,
    pr_deploy_time bigint,
    pr_cycle_time bigint,
    first_commit_authored_date datetime,
    first_comment_date datetime,
    pr_created_date datetime,
    pr_merged_date datetime,
    pr_deployed_date datetime,
    primary key (id, project_name)
) origin;

create table pull_request_assignees (
    pull_request_id varchar(255) not null,
    assignee_id varchar(255) not null,
    name varchar(255),
    user_name varchar(255),
    primary key (pull_request_id, assignee_id)
) origin;

create table pull_request_comments (
    id varchar(255) not null,
    pull_request_id varchar(191),
    body text,
    account_id varchar(255),
    created_date datetime,
    commit_sha varchar(255),
    type varchar(255),
    review_id varchar(255),
    status varchar(255),
    primary key (id),
    index (pull_request_id)
) origin;

create table pull_request_commits (
    commit_sha varchar(40) not null,
    pull_request_id varchar(255) not null,
    commit_author_name varchar(255),
    commit_author_email varchar(255),
    commit_authored_date datetime,
    primary key (pull_request_id, commit_sha)
) origin;

create table pull_request_issues (
    pull_request_id varchar(255) not null,
    issue_id varchar(255) not null,
    pull_request_key bigint,
    issue_key varchar(255),
    primary key (pull_request_id, issue_id)
) origin;

create table pull_request_labels (
    pull_request_id varchar(255) not null,
    label_name varchar(255) not null,
    primary key (pull_request_id, label_name)
) origin;

create table pull_request_reviewers (
    pull_request_id varchar(255) not null,
    reviewer_id varchar(255) not null,
    name varchar(255),
    user_name varchar(255),
    primary key (pull_request_id, reviewer_id)
) origin;

create table pull_requests (
    id varchar(255) not null,
    base_repo_id varchar(191),
    head_repo_id varchar(191),
    status varchar(100),
    original_status varchar(100),
    title text,
    description text,
    url varchar(255),
    author_name varchar(100),
    author_id varchar(100),
    merged_by_name varchar(100),
    merged_by_id varchar(100),
    parent_pr_id varchar(100),
    pull_request_key bigint,
    created_date datetime,
    merged_date datetime,
    closed_date datetime,
    type varchar(100),
    component varchar(100),
    merge_commit_sha varchar(40),
    head_ref varchar(255),
    base_ref varchar(255),
    base_commit_sha varchar(40),
    head_commit_sha varchar(40),
    additions bigint,
    deletions bigint,
    is_draft boolean,
    primary key (id),
    index (base_repo_id),
    index (head_repo_id),
    index (parent_pr_id)
) origin;

create table qa_apis (
    id varchar(500) not null,
    name varchar(255),
    path varchar(255),
    method varchar(255),
    create_time datetime,
    creator_id varchar(255),
    qa_project_id varchar(255),
    primary key (id),
    index (qa_project_id)
) origin;

create table qa_projects (
    id varchar(500) not null,
    name varchar(255),
    primary key (id)
) origin;

create table qa_test_case_executions (
    id varchar(500) not null,
    qa_project_id varchar(255),
    qa_test_case_id varchar(255),
    create_time datetime,
    start_time datetime,
    finish_time datetime,
    creator_id varchar(255),
    status varchar(255),
    is_invalid boolean,
    primary key (id),
    index (qa_project_id),
    index (qa_test_case_id)
) origin;

create table qa_test_cases (
    id varchar(500) not null,
    name varchar(255),
    create_time datetime,
    creator_id varchar(255),
    type varchar(255),
    qa_api_id varchar(255),
    qa_project_id varchar(255),
    primary key (id),
    index (qa_project_id)
) origin;

create table ref_commits (
    new_ref_id varchar(255) not null,
    old_ref_id varchar(255) not null,
    new_commit_sha varchar(40),
    old_commit_sha varchar(40),
    primary key (new_ref_id, old_ref_id)
);

create table refs (
    id varchar(500) not null,
    repo_id varchar(255),
    name varchar(255),
    commit_sha varchar(40),
    is_default boolean,
    ref_type varchar(255),
    created_date datetime,
    primary key (id)
) origin;

create table refs_issues_diffs (
    new_ref_id varchar(255) not null,
    old_ref_id varchar(255) not null,
    new_ref_commit_sha varchar(40),
    old_ref_commit_sha varchar(40),
    issue_number varchar(255),
    issue_id varchar(255) not null,
    primary key (new_ref_id, old_ref_id, issue_id)
) origin;

create table refs_pr_cherrypicks (
    repo_name varchar(255),
    parent_pr_key bigint,
    cherrypick_base_branches varchar(255),
    cherrypick_pr_keys varchar(255),
    parent_pr_url varchar(255),
    parent_pr_id varchar(255) not null,
    primary key (parent_pr_id)
) origin;

create table repo_commits (
    repo_id varchar(255) not null,
    commit_sha varchar(40) not null,
    primary key (repo_id, commit_sha)
) origin;

create table repo_languages (
    repo_id varchar(255),
    language varchar(255),
    bytes bigint,
    index (repo_id)
);

create table repo_snapshot (
    repo_id varchar(255) not null,
    commit_sha varchar(40) not null,
    file_path varchar(255) not null,
    line_no bigint not null,
    primary key (repo_id, commit_sha, file_path, line_no)
) origin;

create table repos (
    id varchar(255) not null,
    name text,
    url text,
    description text,
    owner_id varchar(255),
    language varchar(255),
    forked_from text,
    created_date datetime,
    updated_date datetime,
    deleted boolean,
    primary key (id)
) origin;

create table sprint_issues (
    sprint_id varchar(255) not null,
    issue_id varchar(255) not null,
    primary key (sprint_id, issue_id)
) origin;

create table sprints (
    id varchar(255) not null,
    name varchar(255),
    url varchar(255),
    status varchar(100),
    started_date datetime,
    ended_date datetime,
    completed_date datetime,
    original_board_id varchar(255),
    primary key (id)
) origin shared;

create table team_users (
    team_id varchar(255) not null,
    user_id varchar(255) not null,
    primary key (team_id, user_id)
) origin shared;

create table teams (
    id varchar(255) not null,
    name varchar(255),
    alias varchar(255),
    parent_id varchar(255),
    sorting_index bigint,
    primary key (id)
) origin shared;

create table user_accounts (
    user_id varchar(255),
    account_id varchar(255) not null,
    primary key (account_id)
) origin shared;

create table users (
    id varchar(255) not null,
    email varchar(255),
    name varchar(255),
    primary key (id)
) origin shared;
