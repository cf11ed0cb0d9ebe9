-- Tarn's own tables (dialect: docs/connectors.md, "Tables").

-- Control store ------------------------------------------------------------------------------------------------------

-- The last stamp given out, in ms since 1970 (docs/architecture.md, "Stamps"), and up to when the scheduler has looked.
create table _tarn_stamps (
    name varchar(255) not null,
    stamp bigint not null,
    primary key (name)
) control;

-- What depends on the key of the stored secrets: `check` is a known text, `api keys` the secret of the API keys' digests where it is another
-- one than the key (after a rotation).
create table _tarn_key_values (
    name varchar(255) not null,
    value text secret,
    updated_at datetime,
    primary key (name)
) control;

-- The upgrade of a database of Apache DevLake: one row from its backup on (src/upgrade/upgrade.h).
create table _tarn_upgrades (
    id bigint not null,
    state varchar(20),
    step varchar(100),
    release_name varchar(50),
    backup text,
    known_tables text,
    message text,
    begun_at datetime,
    ended_at datetime,
    primary key (id)
) control unsaved;

-- One row as long as a restore is going on: the home is not whole, and nothing but a restore opens it (src/backup/restore.h).
create table _tarn_restores (
    id bigint not null,
    backup text,
    begun_at datetime,
    primary key (id)
) control unsaved;

-- How far a model has come in a scope: it has seen all changes up to `since`, with inputs of this hash.
create table _tarn_model_states (
    model varchar(255) not null,
    params varchar(255) not null,
    since datetime,
    inputs_hash varchar(64),
    updated_at datetime,
    primary key (model, params)
) control unsaved;

-- What a completed task did: a row for the task, for each stream it read and for each table it wrote.
create table _tarn_task_counts (
    task_id ubigint not null,
    layer varchar(20) not null,
    name varchar(255) not null,
    work varchar(64) not null,
    said bigint,
    seen bigint,
    added bigint,
    changed bigint,
    deleted bigint,
    put_aside bigint,
    requests bigint,
    milliseconds bigint,
    created_at datetime,
    primary key (task_id, layer, name),
    index (work)
) control;

-- A repository as it was read last: hashes of its refs and of the settings. Not complete: a reading was begun and did not end. fresh: there
-- were no commits of it before we read it, so all that is there was written with these settings. lines_base: of which branch repo_snapshot
-- has the lines (its last and first commit, whether it is cut there) and how many these are; empty: unknown.
create table _tarn_git_states (
    repo_id varchar(255) not null,
    fingerprint varchar(64),
    settings varchar(64),
    complete boolean,
    fresh boolean,
    lines_fingerprint varchar(64),
    lines_base varchar(255),
    updated_at datetime,
    primary key (repo_id)
) control;

-- Processes that work on this home (src/store/presence.h): of which data file (its number in _tarn_parts), the database's session that writes
-- data, the number of its last commit, times in ms of the database's clock. Gone: it was not heard of for too long, and may not write.
create table _tarn_processes (
    id varchar(64) not null,
    place varchar(255),
    data_file bigint,
    session bigint,
    commits bigint,
    expires_at bigint,
    gone bigint,
    primary key (id)
) control unsaved;

-- What is one process's alone: a pipeline, a task, a scope, the scheduler (src/run/leases.h).
create table _tarn_leases (
    kind varchar(20) not null,
    name varchar(255) not null,
    owner varchar(64) not null,
    primary key (kind, name)
) control unsaved;

-- Running pipelines that somebody wants cancelled.
create table _tarn_cancels (
    pipeline_id ubigint not null,
    primary key (pipeline_id)
) control unsaved;

-- Data file ----------------------------------------------------------------------------------------------------------

-- What was put aside: a raw row or a place in it that a model (none: the parser) could not use, and why.
create table _tarn_rejects (
    raw_table varchar(255) not null,
    raw_id ubigint,
    params varchar(255),
    model varchar(255),
    path varchar(255),
    reason text,
    created_at datetime
);

-- A row for each deleted row: of which table, and where it came from.
create table _tarn_gone (
    table_name varchar(255) not null,
    params varchar(255),
    raw_table varchar(255),
    raw_id ubigint,
    key text,
    stamp datetime not null,
    index (table_name, stamp)
);

-- The last id given out of each raw table and of the passes, so that no id is used again after deletes.
create table _tarn_sequences (
    name varchar(255) not null,
    last_id bigint not null,
    primary key (name)
);

-- Readings of a stream for a scope that are not finished. What they have met is in the data file of this number alone.
create table _tarn_passes (
    id bigint not null,
    stream varchar(255) not null,
    params varchar(255) not null,
    fingerprint text,
    started_at datetime not null,
    data_file bigint,
    primary key (id)
);

-- Where an unfinished pass goes on.
create table _tarn_check_points (
    pass_id bigint not null,
    input_key text not null,
    position text,
    done boolean
) unsaved;

-- Parents read to their end, by the last pass that did it.
create table _tarn_inputs (
    stream varchar(255) not null,
    params varchar(255) not null,
    input_key text not null,
    version text,
    collected_at datetime,
    pass_id bigint not null
);

-- Raw rows that an unfinished pass has met.
create table _tarn_seen (
    pass_id bigint not null,
    raw_id ubigint not null
) unsaved;

-- Pages that a source tells to be unchanged (304): the items they held, as keys, and where the list went on.
create table _tarn_pages (
    raw_table varchar(255) not null,
    params varchar(255) not null,
    request text not null,
    etag text,
    items text,
    followers text
);

-- Of a server home, in the database and in its cache: the number of the last commit that changed a table's rows of one scope (params; "" where
-- rows have none). The row without names counts the commits, the one named "database" tells the database from others, "columns" has the last commit that
-- changed a table's columns. In the cache alone: "data file", its number, and "layout".
create table _tarn_parts (
    table_name varchar(255) not null,
    params varchar(255) not null,
    stamp bigint not null,
    primary key (table_name, params)
) unsaved;
