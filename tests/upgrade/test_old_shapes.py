"""Shapes of single tables in releases of which there is no whole database: made by hand, a few columns each."""

import hashlib
import json

import pytest

from database_dumps import differences, dump
from old_instances import DUE, Instance, load, mariadb, postgres, program  # noqa: F401
from secret_cells import decrypt, encrypt

KEY = "NOBODYKNOWSTHISKEY"
FIRST_FORM = {"version": "1.0.0", "createdDateAfter": "2022-05-01T00:00:00Z", "connections": [
    {"plugin": "github", "connectionId": 1, "scope": [{"entities": ["CODE"], "options": {"owner": "octo", "repo": "alpha"}, "transformation": {"prType": "x"}}]}]}
PLAN = [[{"plugin": "github", "options": {"connectionId": 1, "owner": "octo", "repo": "alpha"}},
         {"plugin": "jenkins", "options": {"connectionId": 1, "jobName": "build", "jobPath": "job/team/job/app/"}},
         {"plugin": "jenkins", "options": {"connectionId": 1, "jobName": "team/build"}}]]
RENEWED = [[{"plugin": "github", "options": {"connectionId": 1, "owner": "octo", "repo": "alpha", "name": "octo/alpha"}},
            {"plugin": "jenkins", "options": {"connectionId": 1, "jobName": "build", "jobPath": "job/team/job/app/", "jobFullName": "team/app/build"}},
            {"plugin": "jenkins", "options": {"connectionId": 1, "jobName": "team/build", "jobFullName": "team/build"}}]]

# As v0.14 has them: the scripts up to the newest domain layer have run, those that change these shapes have not.
V0_14 = """
create table _devlake_migration_history (created_at {time}, script_version bigint, script_name varchar(255), comment {text}, primary key (script_version, script_name));
insert into _devlake_migration_history (script_version, script_name) values (20220406212344, 'a'), (20220707232344, 'b'), (20220716201138, 'c'), (20220715000001, 'd'),
    (20220714201237, 'e'), (20220929145125, 'f'), (20991231000000, 'of nobody');
create table _devlake_blueprints (id bigint primary key, name {text}, mode {text}, enable {bool}, cron_config {text}, is_manual {bool}, {plan} {text}, settings {text},
    created_at {time}, updated_at {time});
insert into _devlake_blueprints (id, name, mode, {plan}, settings) values (1, 'first form', 'NORMAL', '{sealed_plan}', '{sealed_settings}');
create table _devlake_pipelines (id bigint primary key, name varchar(191), {plan} {text}, status {text});
create table commit_files (id varchar(255) primary key, commit_sha varchar(40), file_path {text});
create table commit_file_components (commit_file_id varchar(255) primary key, component_name varchar(255));
insert into commit_files values ('abc:src/a:b.c', 'abc', 'src/a:b.c'), ('abc:README', 'abc', 'README');
insert into commit_file_components values ('abc:src/a:b.c', 'core');
create table refs_commits_diffs (new_ref_id varchar(255), old_ref_id varchar(255), commit_sha varchar(40), new_ref_commit_sha varchar(40), old_ref_commit_sha varchar(40),
    sorting_index bigint, primary key (new_ref_id, old_ref_id, commit_sha));
insert into refs_commits_diffs values ('r:v2', 'r:v1', 'c1', 'new', 'old', 7), ('r:v2b', 'r:v1', 'c1', 'new', 'old', 7), ('r:v2', 'r:v1', 'c2', 'new', 'old', 8);
create table cicd_pipeline_commits (pipeline_id varchar(255), commit_sha varchar(255), branch varchar(255), repo varchar(255), repo_id varchar(255), repo_url {text},
    primary key (pipeline_id, commit_sha));
insert into cicd_pipeline_commits values ('p', 'abc', 'main', 'https://x/alpha', 'r', ''), ('q', 'abc', 'main', null, 'r', 'https://x/beta');
create table _tool_jenkins_jobs (connection_id bigint, name varchar(255), path varchar(255), class varchar(255), primary key (connection_id, name, path));
insert into _tool_jenkins_jobs values (1, 'team/build', '', 'WorkflowJob');
create table _tool_jenkins_builds (connection_id bigint, job_name varchar(255), full_display_name varchar(255), number bigint, result {text},
    primary key (connection_id, full_display_name));
insert into _tool_jenkins_builds values (1, 'build', 'build #7', 7, 'SUCCESS'), (1, 'build', 'build #8', 8, 'FAILURE');
create table dora_benchmarks (id bigint primary key, created_at {time}, updated_at {time}, metric varchar(255), low varchar(255), medium varchar(255), high varchar(255),
    elite varchar(255));
insert into dora_benchmarks (id, metric, low) values (1, 'Deployment frequency', 'old text'), (3, 'Time to restore service', 'old text');
"""
WORDS = {"mysql": {"time": "datetime(3)", "text": "longtext", "bool": "tinyint(1)"}, "postgres": {"time": "timestamptz", "text": "text", "bool": "boolean"}}


@pytest.fixture(params=["mariadb", "postgres"])
def server(request):
    return request.getfixturevalue(request.param)


def install(program, folder, server, name, more="", plan="plan"):  # noqa: F811
    url = server.make_database(name)
    words = WORDS[server.engine] | {"plan": plan, "sealed_plan": encrypt(KEY, json.dumps(PLAN)), "sealed_settings": encrypt(KEY, json.dumps(FIRST_FORM))}
    script = V0_14 + more
    for word, text in words.items():
        script = script.replace("{" + word + "}", text)
    owner = "set session authorization merico;\n" if server.engine == "postgres" else ""
    load(server, name, (owner + script).encode())
    return Instance(program, folder / "instance", server, name, f"DB_URL={url}\nENCODE_KEY={KEY}\n")


def test_release_before_projects(program, server, tmp_path):  # noqa: F811
    instance = install(program, tmp_path, server, "v0_14")
    before = dump(server, "v0_14")
    code, plan = instance.plan()
    assert code == DUE and plan["found"]["release"] == "v0.14.0" and not plan["problems"]
    assert plan["collect_again"] == []
    assert [note for note in plan["notes"] if note.startswith("Blueprint 1 ")]
    assert not differences(before, dump(server, "v0_14"))
    instance.apply()
    upgraded = dump(server, "v0_14")

    sha = {path: hashlib.sha256(path.encode()).hexdigest() for path in ("src/a:b.c", "README")}
    assert sorted(row["id"] for row in upgraded["commit_files"].dicts()) == sorted(f"abc:{one}" for one in sha.values())
    assert instance.rows("select commit_file_id, component_name from commit_file_components") == [[f"abc:{sha['src/a:b.c']}", "core"]]
    assert sorted(instance.rows("select new_commit_sha, old_commit_sha, commit_sha, sorting_index from commits_diffs")) == [
        ["new", "old", "c1", "7"], ["new", "old", "c2", "8"]]
    assert instance.rows("select pipeline_id, repo_url from cicd_pipeline_commits order by 1") == [["p", "https://x/alpha"], ["q", "https://x/beta"]]
    assert upgraded["_tool_jenkins_jobs"].key == ["connection_id", "full_name"]
    assert instance.rows("select full_name, class from _tool_jenkins_jobs") == [["team/build", "WorkflowJob"]]
    assert set(upgraded["_tool_jenkins_builds"].key) == {"connection_id", "full_name"}
    assert instance.rows("select full_name, result from _tool_jenkins_builds order by 1") == [["build#7", "SUCCESS"], ["build#8", "FAILURE"]]
    assert instance.rows("select mode from _devlake_blueprints") == [["ADVANCED"]]
    assert instance.rows("select plugin_name, connection_id from _devlake_blueprint_connections") == [["github", "1"]]
    blueprint = upgraded["_devlake_blueprints"].dicts()[0]
    assert json.loads(decrypt(KEY, blueprint["plan"])) == RENEWED and blueprint["time_after"].startswith("2022-05-01 00:00:00")
    assert "settings" not in blueprint

    instance.rollback()
    assert not differences(before, dump(server, "v0_14"))


def test_builds_that_would_be_one(program, server, tmp_path):  # noqa: F811
    """Rows that the newest key cannot tell from each other are set aside, and the plan says so."""
    instance = install(program, tmp_path, server, "same_key", "insert into _tool_jenkins_builds values (1, 'build', 'other #7', 7, 'SUCCESS');")
    assert instance.plan()[1]["collect_again"] == ["_tool_jenkins_builds"]
    instance.apply()
    assert instance.rows("select count(*) from _tarn_old__tool_jenkins_builds") == [["3"]]
    assert instance.rows("select count(*) from _tool_jenkins_builds") == [["0"]]


def test_plain_plans(program, server, tmp_path):  # noqa: F811
    """v0.12 and v0.13 did not encrypt them."""
    instance = install(program, tmp_path, server, "plain")
    for column, text in (("plan", PLAN), ("settings", FIRST_FORM)):
        instance.run_sql(f"update _devlake_blueprints set {column} = '{json.dumps(text)}'")
    instance.apply()
    row = dump(server, "plain")["_devlake_blueprints"].dicts()[0]
    assert json.loads(decrypt(KEY, row["plan"])) == RENEWED
    assert instance.rows("select plugin_name from _devlake_blueprint_connections") == [["github"]]


def test_months_and_benchmarks(program, server, tmp_path):  # noqa: F811
    instance = install(program, tmp_path, server, "months")
    instance.apply()
    months = instance.rows("select month, month_timestamp from calendar_months order by month_timestamp")
    assert len(months) == 144 and len({month for month, _ in months}) == 144
    assert all(first[:10] == f"20{month[:2]}-{month[3:]}-01" for month, first in months)
    levels = instance.rows("select id, dora_report, metric, low, elite from dora_benchmarks order by id")
    assert [row[:3] for row in levels] == [[str(number + 1), "2021" if number < 4 else "2023", metric] for number, metric in enumerate((
        "Deployment frequency", "Lead time for changes", "Change failure rate", "Time to restore service",
        "Deployment frequency", "Lead time for changes", "Change failure rate", "Failed deployment recovery time"))]
    assert levels[6][3:] == ["> 15%(low)", "0-5%(elite)"]
