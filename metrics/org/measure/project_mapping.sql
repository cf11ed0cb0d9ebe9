-- subtask: setProjectMapping
-- from: project_mapping m
-- rows: project_mapping
-- owns: t.project_name in (select name from (select unnest(json_extract_string(nullif($projectMappings, ''), '$[*].projectName')::varchar[]) as name))
with given as (
    select unnest(from_json(coalesce(nullif($projectMappings, ''), '[]'),
        '[{"projectName": "varchar", "scopes": [{"table": "varchar", "rowId": "varchar"}]}]')) as project
), scopes as (
    select project."projectName" as project_name, unnest(project.scopes) as scope from given
)
-- The project's name stands for the raw params: an import of a CSV file replaces rows by it.
select distinct origin_of(0, project_name, '', '') as origin, project_name, scope."table" as "table", scope."rowId" as row_id
from scopes
-- Nothing of the table itself goes in, but what others write there makes the model run again.
where (select count(*) from project_mapping) >= 0
