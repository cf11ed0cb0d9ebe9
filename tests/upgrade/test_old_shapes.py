"""Shapes of single tables in releases of which there is no whole database: made by hand, a few columns each."""

import hashlib
import json
import shutil

import pytest

from database_dumps import differences, dump
from old_instances import DUE, FAILED, Instance, load, mariadb, postgres, program  # noqa: F401
from secret_cells import decrypt, encrypt

KEY = "NOBODYKNOWSTHISKEY"
FIRST_FORM = {"version": "1.0.0", "createdDateAfter": "2022-05-01T00:00:00Z", "connections": [
    {"plugin": "github", "connectionId": 1, "scope": [{"entities": ["CODE"], "options": {"owner": "octo", "repo": "alpha"},
                                                         "transformation": {"prType": "type/(.*)$", "prComponent": "", "issueTypeBug": "(bug",
                                                                            "productionPattern": "(?i)prod", "refdiff": {"tagsLimit": 7}}}]}]}
PLAN = [[{"plugin": "github", "options": {"connectionId": 1, "owner": "octo", "repo": "alpha", "transformationRules": {"prType": "type/(.*)$"}}},
         {"plugin": "gitlab", "options": {"connectionId": 1, "projectId": 7, "transformationRules": {"prType": "of nobody"}}},
         {"plugin": "jenkins", "options": {"connectionId": 1, "jobName": "build", "jobPath": "job/team/job/app/"}},
         {"plugin": "jenkins", "options": {"connectionId": 1, "jobName": "team/build"}}]]
RENEWED = [[{"plugin": "github", "options": {"connectionId": 1, "owner": "octo", "repo": "alpha", "name": "octo/alpha", "scopeConfigId": 1}},
            {"plugin": "gitlab", "options": {"connectionId": 1, "projectId": 7, "transformationRules": {"prType": "of nobody"}}},
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
    # The rules of the settings are whole; what is no pattern is left out and told.
    [rule] = upgraded["_tool_github_scope_configs"].dicts()
    assert {name: rule[name] for name in ("name", "connection_id", "pr_type", "pr_component", "issue_type_bug", "production_pattern")} == {
        "name": "Blueprint 1, rules 1", "connection_id": "1", "pr_type": "type/(.*)$", "pr_component": "", "issue_type_bug": "", "production_pattern": "(?i)prod"}
    assert json.loads(rule["refdiff"]) == {"tagsLimit": 7} and json.loads(rule["entities"]) == ["CODE"]
    assert [note for note in plan["notes"] if "issueTypeBug" in note]

    instance.rollback()
    assert not differences(before, dump(server, "v0_14"))


def test_rules_in_plans(program, server, tmp_path):  # noqa: F811
    """Equal ones of a connection are one scope config; those of an interrupted upgrade are not made twice."""
    def task(board, rules, connection=3):
        return {"plugin": "jira", "options": {"connectionId": connection, "boardId": board, "transformationRules": rules}}

    mapped = {"epicKeyField": "customfield_1", "typeMappings": {"Fehler": {"standardType": "BUG", "statusMappings": {}}}}
    old = [[task(7, mapped), task(8, mapped)], [task(9, {"epicKeyField": "customfield_2"}), task(9, mapped, 4), task(10, {"epicKeyField": ""})]]
    instance = install(program, tmp_path, server, "rules")
    instance.run_sql(f"update _devlake_blueprints set plan = '{encrypt(KEY, json.dumps(old))}', settings = null, mode = 'ADVANCED'")
    instance.apply()
    configs = {row["id"]: row for row in dump(server, "rules")["_tool_jira_scope_configs"].dicts()}
    assert sorted((row["name"], row["connection_id"], row["epic_key_field"]) for row in configs.values()) == [
        ("Blueprint 1, rules 1", "3", "customfield_1"), ("Blueprint 1, rules 2", "3", "customfield_2"), ("Blueprint 1, rules 3", "4", "customfield_1")]
    number = {row["name"][-1]: int(row["id"]) for row in configs.values()}
    assert json.loads(configs[str(number["1"])]["type_mappings"]) == mapped["typeMappings"]
    plan = json.loads(decrypt(KEY, dump(server, "rules")["_devlake_blueprints"].dicts()[0]["plan"]))
    assert [one["options"] for stage in plan for one in stage] == [
        {"connectionId": 3, "boardId": 7, "scopeConfigId": number["1"]}, {"connectionId": 3, "boardId": 8, "scopeConfigId": number["1"]},
        {"connectionId": 3, "boardId": 9, "scopeConfigId": number["2"]}, {"connectionId": 4, "boardId": 9, "scopeConfigId": number["3"]},
        {"connectionId": 3, "boardId": 10, "transformationRules": {"epicKeyField": ""}}]
    # As one that was killed between the configs and the plan.
    instance.run_sql(f"update _devlake_blueprints set plan = '{encrypt(KEY, json.dumps(old))}'; update _tarn_upgrades set state = 'running'")
    instance.apply()
    again = dump(server, "rules")
    assert len(again["_tool_jira_scope_configs"].rows) == 3
    assert json.loads(decrypt(KEY, again["_devlake_blueprints"].dicts()[0]["plan"])) == plan


LEFT_BY_V0_14 = """
delete from _devlake_migration_history where script_version in (20220929145125);
create table issues (id varchar(255) primary key, title {text}, lead_time_minutes bigint, lead_time_minutes_bak bigint);
insert into issues values ('a', 't', null, 7), ('b', 't', 9, 9), ('c', 't', null, null);
alter table commit_files rename to commit_files_bak;
create table commit_files (id varchar(255) primary key, commit_sha varchar(40), file_path {text});
insert into commit_files values ('abc:half', 'abc', 'README');
create table commit_file_components_bak (commit_file_id varchar(255) primary key, component_name varchar(255));
insert into commit_file_components_bak values ('abc:src/a:b.c', 'core');
create table issues_bak (id int);
"""


def test_interrupted_script_of_v0_14(program, server, tmp_path):  # noqa: F811
    """Its `_bak` tables hold the rows until they are all copied. Others of such a name are a user's own."""
    instance = install(program, tmp_path, server, "bak", LEFT_BY_V0_14)
    before = dump(server, "bak")
    _, plan = instance.plan()
    assert [note for note in plan["notes"] if "interrupted" in note]
    assert {"commit_files_bak", "commit_file_components_bak", "issues"} <= {table for step in plan["steps"] if step["id"].startswith("0 ") for table in step["tables"]}
    instance.apply()
    upgraded = dump(server, "bak")
    assert [name for name in upgraded if name.endswith("_bak")] == ["issues_bak"]
    assert sorted(row["file_path"] for row in upgraded["commit_files"].dicts()) == ["README", "src/a:b.c"]
    assert {len(row["id"]) for row in upgraded["commit_files"].dicts()} == {len("abc:") + 64}
    assert instance.rows("select component_name from commit_file_components") == [["core"]]
    assert instance.rows("select id, lead_time_minutes from issues order by id") == [["a", "7"], ["b", "9"], ["c", "NULL"]]
    assert "lead_time_minutes_bak" not in upgraded["issues"].columns
    instance.rollback()
    assert not differences(before, dump(server, "bak"))


def test_backup_tables_of_a_finished_v0_14_are_a_users_own(program, server, tmp_path):  # noqa: F811
    instance = install(program, tmp_path, server, "own_bak", "insert into _devlake_migration_history (script_version, script_name) values (20220913165805, 'g');"
                       "create table commit_files_bak (id int); insert into commit_files_bak values (3);")
    instance.apply()
    assert instance.rows("select * from commit_files_bak") == [["3"]]


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


def test_sealed_backup(program, server, tmp_path):  # noqa: F811
    """Opens with its passphrase only: the way back, and the same database at another place."""
    instance = install(program, tmp_path, server, "sealed", "insert into commit_files values ('q', 'q', 'tab\t, line\n, back\\\\slash');")
    before = dump(server, "sealed")
    assert instance.upgrade("apply", "--yes", env={"TARN_BACKUP_PASSPHRASE": "one two"}).returncode == 0
    upgraded = dump(server, "sealed")
    [file] = (instance.tarn.home / "backups").glob("*.backup")

    for env, says in (({}, "no passphrase is given"), ({"TARN_BACKUP_PASSPHRASE": "three"}, "does not open the backup")):
        refused = instance.upgrade("rollback", "--yes", env=env)
        assert refused.returncode == FAILED and says in refused.stderr, refused.stderr
        assert not differences(upgraded, dump(server, "sealed")) and instance.status() == "done"

    right = {"TARN_BACKUP_PASSPHRASE": "one two"}
    refused = instance.tarn.run("restore", file, env=right)
    assert refused.returncode == FAILED and "not empty" in refused.stderr, refused.stderr
    copy = Instance(program, tmp_path / "copy", server, "copied", f"DB_URL={server.make_database('copied')}\nENCODE_KEY={KEY}\n")
    done = copy.tarn.run("restore", file, env=right)
    assert done.returncode == 0, done.stderr
    assert not differences(before, dump(server, "copied"))
    copy.apply()

    assert instance.upgrade("rollback", "--yes", env=right).returncode == 0
    assert not differences(before, dump(server, "sealed"))


def test_backup_of_another_kind(program, mariadb, postgres, tmp_path):  # noqa: F811
    """DevLake's tables go back to a server of the kind they came from; a home's backup is not taken for them."""
    instance = install(program, tmp_path, mariadb, "of_mysql")
    instance.apply()
    [file] = (instance.tarn.home / "backups").glob("*.backup")
    other = Instance(program, tmp_path / "other", postgres, "of_postgres", f"DB_URL={postgres.make_database('of_postgres')}\nENCODE_KEY={KEY}\n")
    refused = other.tarn.run("restore", file)
    assert refused.returncode == FAILED and "another kind of server (mysql)" in refused.stderr, refused.stderr
    assert not dump(postgres, "of_postgres")
    done = instance.tarn.run("backup", tmp_path / "home.backup")
    assert done.returncode == 0, done.stderr
    shutil.copy(tmp_path / "home.backup", file)
    upgraded = dump(mariadb, "of_mysql")
    refused = instance.upgrade("rollback", "--yes")
    assert refused.returncode == FAILED and "of another kind: home" in refused.stderr, refused.stderr
    assert not differences(upgraded, dump(mariadb, "of_mysql"))
