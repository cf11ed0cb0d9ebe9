create table _tool_bitbarn_connections (id bigint not null auto, endpoint text, username text, password text secret, primary key (id));
create table _tool_bitbarn_repos (connection_id bigint not null, full_name varchar(255) not null, primary key (connection_id, full_name)) origin;
create table _tool_bitbarn_pull_requests (repo varchar(255) not null, number bigint not null, updated_on datetime, primary key (repo, number)) origin;
create table _tool_bitbarn_pipelines (repo varchar(255) not null, uuid varchar(255) not null, primary key (repo, uuid)) origin;
