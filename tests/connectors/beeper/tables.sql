create table _tool_beeper_connections (id bigint not null auto, endpoint text, token text secret, auth_method varchar(255), primary key (id));
create table _tool_beeper_services (connection_id bigint not null, id varchar(255) not null, primary key (connection_id, id)) origin;
create table _tool_beeper_incidents (service_id varchar(255) not null, number bigint not null, id varchar(255), status varchar(255), primary key (service_id, number)) origin;
