"""The upgrade on PostgreSQL, with a small database made by hand."""

import json
import subprocess
import time
from pathlib import Path

import end_states
from database_dumps import differences, dump
from database_servers import POSTGRES_BIN
from old_instances import DUE, FAILED, NOTHING_TO_DO, REFUSED, USER, Instance, Served, load, postgres, program  # noqa: F401
from secret_cells import decrypt, encrypt

KEY = "NOBODYKNOWSTHISKEY"
PLAN = [[{"plugin": "github", "subtasks": None, "options": {"connectionId": 1, "name": "octo/alpha"}}]]
SETTINGS = {"version": "2.0.0", "timeAfter": "2022-10-01T00:00:00Z", "before_plan": [[{"plugin": "org", "options": {}}]], "connections": [
    {"plugin": "github", "connectionId": 1, "scopes": [{"id": "384111310", "name": "octo/alpha", "entities": ["CODE"]}]}]}
VALUES = {"plan": json.dumps(PLAN), "settings": json.dumps(SETTINGS), "nothing": "", "options": json.dumps(PLAN[0][0]["options"]), "token": "ghp_one,ghp_two",
          "password": "pass#wörd"}


def install(program, server, folder, name, key=KEY):  # noqa: F811
    script = (Path(__file__).parent / "old_postgres.sql").read_text()
    for place, text in VALUES.items():
        script = script.replace(f"'{{{place}}}'", f"'{encrypt(KEY, text)}'")
    server.make_database(name)
    load(server, name, f"set session authorization {USER};\n{script}".encode())
    return Instance(program, folder, server, name, f"DB_URL={server.url(name)}\nENCODE_KEY={key}\n")


def told(found):
    assert not found, "\n".join(found)


def test_old_database(program, postgres, tmp_path):  # noqa: F811
    instance = install(program, postgres, tmp_path / "instance", "old")
    before = dump(postgres, "old")

    code, plan = instance.plan()
    assert code == DUE and plan["found"]["kind"] == "devlake" and plan["found"]["release"] == "v0.17.0"
    assert plan["left_alone"] == ["_tool_gitlab_projects"]
    told(differences(before, dump(postgres, "old")))

    instance.apply()
    upgraded = dump(postgres, "old")
    told(end_states.lost_rows(before, upgraded))
    others = ("shop", "shop_names", "_tool_gitlab_projects")
    told(differences({name: before[name] for name in others}, {name: upgraded[name] for name in others}))

    def only(table, **want):
        return next(row for row in upgraded[table].dicts() if all(row[column] == text for column, text in want.items()))

    weekly = only("_devlake_blueprints", id="1")
    for column, want in (("plan", PLAN), ("before_plan", SETTINGS["before_plan"])):
        assert json.loads(end_states.value(KEY, "_devlake_blueprints", column, weekly[column])) == want, column
    assert "settings" not in weekly and weekly["time_after"].startswith("2022-10-01 00:00:00") and weekly["priority"] == "0"
    assert only("_devlake_blueprint_connections", blueprint_id="1") == {"blueprint_id": "1", "plugin_name": "github", "connection_id": "1"}
    assert only("_devlake_blueprint_scopes", blueprint_id="1")["scope_id"] == "384111310"
    hub = only("_tool_github_connections", id="1")
    assert decrypt(KEY, hub["token"]) == VALUES["token"] and hub["auth_method"] == "AccessToken"
    assert decrypt(KEY, only("_tool_jira_connections", id="1")["password"]) == VALUES["password"]
    rule = only("_tool_github_scope_configs", id="1")
    assert [rule["name"], rule["pr_type"], rule["deployment_pattern"], rule["connection_id"]] == ["rule", "type/(.*)$", "(?i)deploy", "1"]
    repo = only("_tool_github_repos", github_id="384111310")
    assert [repo["full_name"], repo["scope_config_id"]] == ["octo/alpha", "1"]
    assert only("_devlake_api_keys", name="webhook-1")["allowed_path"] == "/plugins/webhook/connections/1/.*"
    assert only("project_metric_settings", project_name="one")["enable"] == "true"
    assert only("project_incident_deployment_relationships", id="i")["deployment_id"] == "d"
    issue, old = only("issues", id="github:GithubIssue:1:7"), before["issues"].dicts()
    assert issue["title"] == next(row["title"] for row in old if row["id"] == issue["id"]) and issue["created_date"] == "2023-05-01 15:00:00+00"
    assert [row["data"] for row in upgraded["_raw_github_api_issues"].dicts()] == ["\\x7b7d", "\\x5b5d"]

    assert instance.plan()[0] == NOTHING_TO_DO and instance.status() == "done"
    instance.apply()
    told(differences(upgraded, dump(postgres, "old")))

    server = Served(instance.tarn)
    try:
        for path in ("/ready", "/projects", "/blueprints", "/pipelines", "/plugins/github/connections", "/plugins/github/connections/1/scopes",
                     "/plugins/github/connections/1/scope-configs", "/plugins/webhook/connections", "/api-keys"):
            assert server.call("GET", path).status_code == 200, path
        assert server.call("GET", "/blueprints/1").json()["plan"] == PLAN
        made = server.call("POST", "/plugins/github/connections", {"name": "next", "endpoint": "https://x/", "token": "t"})
        assert made.status_code == 201 and made.json()["id"] == 2, made.text  # the numbers go on
    finally:
        server.stop()

    instance.rollback()
    told(differences(before, dump(postgres, "old")))
    instance.run_sql("insert into _devlake_blueprints (name) values ('third')")  # its sequence goes on, too
    assert instance.rows("select id from _devlake_blueprints where name = 'third'") == [["3"]]
    instance.run_sql("delete from _devlake_blueprints where name = 'third'")

    instance.apply()
    told(end_states.state_differences(upgraded, dump(postgres, "old"), KEY))


def test_wrong_key(program, postgres, tmp_path):  # noqa: F811
    instance = install(program, postgres, tmp_path / "instance", "other_key", key="ANOTHERKEY")
    before = dump(postgres, "other_key")
    code, plan = instance.plan()
    assert code == REFUSED and "ENCRYPTION_SECRET" in json.dumps(plan["problems"])
    assert instance.upgrade("apply", "--yes").returncode == REFUSED
    told(differences(before, dump(postgres, "other_key")))


# ---- what a server must allow


def as_user(instance, name, *grants):
    """The instance with a user of its own, who has these rights and no others."""
    server = instance.server
    server.admin(f"create user {name} password 'limited'", instance.database)
    for grant in ("grant select, insert, update, delete on all tables in schema public to {}", *grants):
        server.admin(grant.format(name), instance.database)
    instance.env_file.write_text(f"DB_URL={server.url(instance.database, name, 'limited')}\nENCODE_KEY={KEY}\n")


def assert_refused(instance, *words):
    """Plan and apply say all of it, with a next step, and nothing is changed."""
    before = dump(instance.server, instance.database)
    code, plan = instance.plan()
    assert code == REFUSED and all(problem["next_step"] for problem in plan["problems"]), plan["problems"]
    applied = instance.upgrade("apply", "--yes")
    assert applied.returncode == REFUSED
    for word in words:
        assert word in json.dumps(plan["problems"]) and word in applied.stderr, f"{word} is not said: {applied.stderr}"
    told(differences(before, dump(instance.server, instance.database)))


def test_tables_of_another_owner(program, postgres, tmp_path):  # noqa: F811
    instance = install(program, postgres, tmp_path / "instance", "of_another")
    as_user(instance, "stranger", "grant create on schema public to {}")
    assert_refused(instance, "a right is missing", "tables belong to merico", "_devlake_blueprints")


def test_no_right_to_make_tables(program, postgres, tmp_path):  # noqa: F811
    instance = install(program, postgres, tmp_path / "instance", "makes_none")
    as_user(instance, "reader")
    assert_refused(instance, "CREATE on the schema", "grant create on schema")


def test_rights_of_a_role(program, postgres, tmp_path):  # noqa: F811
    """Who is a member of the owner's role owns its tables, too."""
    instance = install(program, postgres, tmp_path / "instance", "by_role")
    as_user(instance, "member", "grant create on schema public to {}", f"grant {USER} to {{}}")
    code, plan = instance.plan()
    assert code == DUE and not plan["problems"]
    before, owners = dump(postgres, "by_role"), "select distinct tableowner from pg_tables where schemaname = 'public' and tableowner <> 'admin'"
    instance.apply()
    instance.rollback()
    told(differences(before, dump(postgres, "by_role")))
    assert instance.rows(owners) == [[USER]]
    instance.run_sql(f"set role {USER}; insert into _devlake_blueprints (name) values ('third')")


def test_server_that_only_reads(program, postgres, tmp_path):  # noqa: F811
    instance = install(program, postgres, tmp_path / "instance", "only_reads")
    postgres.admin("alter database only_reads set default_transaction_read_only = on")
    assert_refused(instance, "only reads")


def test_clock_in_the_past(program, postgres, tmp_path):  # noqa: F811
    instance = install(program, postgres, tmp_path / "instance", "clock")
    instance.run_sql("insert into _devlake_migration_history (created_at, script_version, script_name) values (now() + interval '40 days', 1, 'of the future')")
    assert_refused(instance, "clock")


def test_database_held_by_another(program, postgres, tmp_path):  # noqa: F811
    instance = install(program, postgres, tmp_path / "instance", "held")
    holder = subprocess.Popen([f"{POSTGRES_BIN}/psql", "-X", "-q", "-h", str(postgres.folder), "-p", str(postgres.port), "-U", "admin", "held"],
                              stdin=subprocess.PIPE, text=True)
    try:
        holder.stdin.write(f"select pg_advisory_lock({0x7461726E});\n")
        holder.stdin.flush()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and instance.rows("select count(*) from pg_locks where locktype = 'advisory'") == [["0"]]:
            time.sleep(0.05)
        code, plan = instance.plan()
        assert code == REFUSED and "another Tarn process" in plan["problems"][0]["message"]
        assert any("other connections are open" in note for note in plan["notes"])
    finally:
        holder.kill()
        holder.wait()
    assert instance.plan()[0] == DUE


def test_encoding_of_another_kind(program, postgres, tmp_path):  # noqa: F811
    url = postgres.make_database("latin", "template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'")
    instance = Instance(program, tmp_path / "instance", postgres, "latin", f"DB_URL={url}\nENCODE_KEY={KEY}\n")
    done = instance.upgrade("plan")
    assert done.returncode == FAILED and "LATIN1" in done.stderr and "UTF8" in done.stderr


def test_left_over_columns(program, postgres, tmp_path):  # noqa: F811
    end = "858189A376173E39D3C3F3EF9A820941"
    instance = install(program, postgres, tmp_path / "instance", "left_over")
    want = instance.rows("select id, lead_time_minutes from issues order by id")
    instance.run_sql(f'alter table issues rename column lead_time_minutes to "lead_time_minutes_{end}"; alter table issues add column lead_time_minutes bigint; '
                     f'update issues set lead_time_minutes = "lead_time_minutes_{end}" where lead_time_minutes % 3 = 0; '
                     f'alter table pull_request_comments rename column body to "body_{end}"')
    before = dump(postgres, "left_over")
    instance.apply()
    assert instance.rows("select id, lead_time_minutes from issues order by id") == want
    assert instance.rows("select body from pull_request_comments") == [["text"]]
    instance.rollback()
    told(differences(before, dump(postgres, "left_over")))


def test_empty_and_unknown(program, postgres, tmp_path):  # noqa: F811
    postgres.make_database("nothing")
    instance = Instance(program, tmp_path / "nothing", postgres, "nothing", f"DB_URL={postgres.url('nothing')}\nENCRYPTION_SECRET=any\n")
    code, plan = instance.plan()
    assert code == NOTHING_TO_DO and plan["found"]["kind"] == "empty"
    postgres.make_database("strange")
    postgres.admin("create table shop (id int)", "strange")
    instance = Instance(program, tmp_path / "strange", postgres, "strange", f"DB_URL={postgres.url('strange')}\nENCRYPTION_SECRET=any\n")
    code, plan = instance.plan()
    assert code == REFUSED and plan["found"]["kind"] == "other" and plan["problems"][0]["next_step"]


def test_payload_that_is_no_text(program, postgres, tmp_path):  # noqa: F811
    """One such raw row does not keep the server from starting."""
    instance = install(program, postgres, tmp_path / "instance", "no_text")
    instance.run_sql("insert into _raw_github_api_issues (params, data, url) values ('p', '\\x00fffe', 'u')")
    instance.apply()
    server = Served(instance.tarn)
    server.stop()
    assert instance.rows("select count(*) from _raw_github_api_issues") == [["3"]]
