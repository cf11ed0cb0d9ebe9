create table _tool_trackr_connections (id bigint not null auto, endpoint text, username text, password text secret, token text secret, primary key (id));
create table _tool_trackr_boards (connection_id bigint not null, board_id bigint not null, project_key varchar(255), primary key (connection_id, board_id)) origin;
create table _tool_trackr_issues (connection_id bigint not null, id bigint not null, board_id bigint, updated datetime, primary key (connection_id, id)) origin;
