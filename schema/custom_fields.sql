-- Columns that users add to domain tables, as Apache DevLake names the table.

create table _tool_customized_fields (
    tb_name varchar(255) not null,
    column_name varchar(255) not null,
    display_name varchar(255),
    data_type varchar(255),
    description text,
    primary key (tb_name, column_name)
) times control;
