-- The SQL vocabulary of all models: general words, no connector's name. Regexes are RE2, patterns may be ''.

-- Text, number, flag that is never NULL: what a source leaves out is '', 0, false, as in DevLake's tables.
create or replace macro str(value) as coalesce(value, '');
create or replace macro num(value) as coalesce(value, 0);
create or replace macro flag(value) as coalesce(value, false);

-- The first of the texts that is not empty, else ''.
create or replace macro first_text
    (a, b) as coalesce(nullif(a, ''), b, ''),
    (a, b, c) as coalesce(nullif(a, ''), nullif(b, ''), c, '');

-- A row's provenance put together from its parts.
create or replace macro origin_of(id, params, raw_table, remark) as
    {'id': id::ubigint, 'params': params::varchar, 'table': raw_table::varchar, 'remark': remark::varchar};

-- Domain id: kind ('github:GithubIssue') and key parts, joined by colons. NULL where a part is NULL.
create or replace macro domain_id
    (kind, a) as kind || ':' || a::varchar,
    (kind, a, b) as kind || ':' || a::varchar || ':' || b::varchar,
    (kind, a, b, c) as kind || ':' || a::varchar || ':' || b::varchar || ':' || c::varchar,
    (kind, a, b, c, d) as kind || ':' || a::varchar || ':' || b::varchar || ':' || c::varchar || ':' || d::varchar,
    (kind, a, b, c, d, e) as kind || ':' || a::varchar || ':' || b::varchar || ':' || c::varchar || ':' || d::varchar || ':' || e::varchar;

-- Domain id of a reference that may be missing: '' for 0, '' and NULL.
create or replace macro domain_id_or_empty(kind, connection, key) as
    case when coalesce(key::varchar, '') in ('', '0') then '' else kind || ':' || connection::varchar || ':' || key::varchar end;

-- Domain ids, parted by commas, of a comma list of references: the first number of each part.
create or replace macro domain_ids(kind, connection, list) as array_to_string(list_transform(
    list_filter(list_transform(string_split(str(list), ','), lambda part: regexp_extract(part, '[0-9]+')), lambda id: id <> ''),
    lambda id: kind || ':' || connection::varchar || ':' || coalesce(try_cast(id as ubigint)::varchar, id)), ',');

-- Whole minutes, whole seconds and seconds with a fraction from one time to a later one; NULL where one of them is missing.
create or replace macro minutes_between(start, finish) as (epoch_ms(finish) - epoch_ms(start)) // 60000;
create or replace macro seconds_between(start, finish) as (epoch_ms(finish) - epoch_ms(start)) // 1000;
create or replace macro exact_seconds_between(start, finish) as (epoch_ms(finish) - epoch_ms(start)) / 1000;

-- Does the pattern match somewhere in the text? An empty pattern never does.
create or replace macro matches(pattern, value) as pattern <> '' and regexp_matches(coalesce(value, ''), pattern);

-- The last of a list of labels that matches the pattern, else ''.
create or replace macro last_match(pattern, labels) as
    coalesce(list_last(list_filter(labels, lambda label: matches(pattern, label))), '');

-- Standard issue type by labels: the last label that matches any pattern decides; within a label requirement goes before bug before incident.
create or replace macro issue_type(requirement, bug, incident, labels) as
    coalesce(list_last(list_filter(list_transform(labels, lambda label:
        case when matches(requirement, label) then 'REQUIREMENT' when matches(bug, label) then 'BUG' when matches(incident, label) then 'INCIDENT' end),
        lambda kind: kind is not null)), '');

-- Is the text one of a comma list, without regard to case and blanks? '' never is.
create or replace macro in_list(comma_list, value) as
    coalesce(value, '') <> '' and list_contains(list_transform(string_split(comma_list, ','), lambda entry: lower(trim(entry))), lower(value));

-- Standard status by lists of status words or categories.
create or replace macro issue_status(value, done, todo) as
    case when list_contains(done, str(value)) then 'DONE' when list_contains(todo, str(value)) then 'TODO' else 'IN_PROGRESS' end;

-- What a scope config maps: issue type -> {standardType, statusMappings: {status -> {standardStatus}}}. An empty map for ''.
create or replace macro type_mappings(json) as coalesce(try_cast(try_cast(coalesce(nullif(json, ''), '{}') as json) as
    map(varchar, struct("standardType" varchar, "statusMappings" map(varchar, struct("standardStatus" varchar))))),
    error('typeMappings of the scope config is no {type: {standardType, statusMappings: {status: {standardStatus}}}}'));

-- The regexes of a JSON list of {regex: …}; none for ''.
create or replace macro regex_list(json) as coalesce(json_extract_string(nullif(json, ''), '$[*].regex')::varchar[], []::varchar[]);

-- 'DEPLOYMENT' where the pattern matches, else ''.
create or replace macro ci_type(pattern, value) as case when matches(pattern, value) then 'DEPLOYMENT' else '' end;

-- 'PRODUCTION' where the pattern is empty or matches one of the texts, else ''.
create or replace macro ci_environment
    (pattern, a) as case when pattern = '' or matches(pattern, a) then 'PRODUCTION' else '' end,
    (pattern, a, b) as case when pattern = '' or matches(pattern, a) or matches(pattern, b) then 'PRODUCTION' else '' end;

-- Result and status of CI runs and deployments by lists of upper case words, without regard to case.
create or replace macro ci_result(value, success, failure) as
    case when list_contains(success, upper(str(value))) then 'SUCCESS' when list_contains(failure, upper(str(value))) then 'FAILURE' else '' end;
create or replace macro ci_status(value, done, in_progress) as
    case when list_contains(in_progress, upper(str(value))) then 'IN_PROGRESS' when list_contains(done, upper(str(value))) then 'DONE' else 'OTHER' end;

-- The list, or [NULL] where it is empty or missing: unnested it says of a parent without children that it was read.
create or replace macro or_none(list) as coalesce(nullif(list, []), [null]);

-- Names of things within things ('a/b/c'): what stands before the last slash ('' without one), what behind it, and a URL's path with a word before
-- each segment ('job/a/job/b/').
create or replace macro outer_name(name) as regexp_extract(name, '^(.*)/', 1);
create or replace macro inner_name(name) as regexp_extract(name, '([^/]*)$', 1);
create or replace macro each_segment(word, name) as
    case when str(name) = '' then '' else word || '/' || replace(name, '/', '/' || word || '/') || '/' end;
-- Does the name go on from the other one, behind a slash or a hash? 'a/b/c' and 'a/b#7' do from 'a/b'.
create or replace macro goes_on_from(name, start) as starts_with(name, start) and name[length(start) + 1] in ('/', '#');

-- A time of milliseconds since 1970, and the same cut to its second.
create or replace macro millis_time(millis) as epoch_ms(millis::bigint);
create or replace macro second_time(millis) as epoch_ms(millis::bigint // 1000 * 1000);

-- First line of a text.
create or replace macro first_line(value) as split_part(str(value), chr(10), 1);

-- A time of RFC 3339 text, UTC; NULL where the text is none.
create or replace macro utc_time(value) as timezone('UTC', try_cast(upper(value) as timestamptz));

-- As utc_time; a time or a date that names no offset is one in the offset of another time's text.
create or replace macro time_like(value, other) as case
    when regexp_matches(value, ':\d\d(\.\d+)?\s*([zZ]|[+-]\d\d:?(\d\d)?)$') then utc_time(value)
    when regexp_matches(value, '^\d{4}-\d\d-\d\d') then utc_time(
        value || case when length(value) <= 10 then ' 00:00:00' else '' end || regexp_extract(other, '([zZ]|[+-]\d\d:?(\d\d)?)$'))
end;

-- Metrics: is the project the wanted one? '' wants all of them.
create or replace macro of_project(wanted, name) as (wanted = '' or name = wanted);

-- The most public one of a list of environments, else ''.
create or replace macro highest_environment(list) as case
    when list_contains(list, 'PRODUCTION') then 'PRODUCTION' when list_contains(list, 'STAGING') then 'STAGING'
    when list_contains(list, 'TESTING') then 'TESTING' else '' end;

-- Minutes from one time to a later one, started ones counted whole; NULL where one is missing or the later one is earlier by a minute or more.
create or replace macro started_minutes(start, finish) as
    case when epoch_ms(finish) - epoch_ms(start) > -60000 then ceil((epoch_ms(finish) - epoch_ms(start)) / 60000)::bigint end;

-- Texts of a JSON list, none for ''; names of a comma list, without blanks around them.
create or replace macro text_list(json) as coalesce(json_extract_string(nullif(json, ''), '$[*]')::varchar[], []::varchar[]);
create or replace macro name_list(names) as
    list_distinct(list_filter(list_transform(string_split(str(names), ','), lambda name: trim(name)), lambda name: name <> ''));

-- A version by which names sort: parts between dots, shorter ones first.
create or replace macro version_parts(name) as
    list_transform(string_split(name, '.'), lambda part: {'length': length(part), 'part': part});
