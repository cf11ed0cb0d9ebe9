create table _tool_refdiff_finished_commits_diffs (
    new_commit_sha varchar(40) not null, old_commit_sha varchar(40) not null,
    primary key (new_commit_sha, old_commit_sha)
);
