"""Databases that real releases of DevLake wrote become Tarn's: nothing is lost, secrets open, the API serves them, and there is a way back.

One database per release goes through everything once: plan, upgrade, upgrade again, serve, rollback, upgrade again.
"""

import base64
import contextlib
import http.server
import json
import re
import threading

import pytest

import end_states
from database_dumps import differences, dump
from old_instances import (DUE, NOTHING_TO_DO, RELEASES, Release, Served, connectors, database_name, install, is_of_connector, load,  # noqa: F401
                           mariadb, needs_history, program)
from secret_cells import decrypt

pytestmark = needs_history


class Journey:
    """What was seen on the way; each part is gone through once, when a test first asks for it."""

    def __init__(self, program, folder, server, name):
        self.release = Release(name)
        self.key = self.release.key
        self.server = server
        self.instance = install(program, folder / "instance", server, self.release, f"way_{name}")
        self.seen = {}

    def part(self, name):
        if name not in self.seen:
            try:
                self.seen[name] = getattr(self, f"_{name}")()
            except Exception as error:
                self.seen[name] = error
        if isinstance(self.seen[name], Exception):
            pytest.fail(f"{name}: {self.seen[name]}", pytrace=False)  # told to every test that needs it
        return self.seen[name]

    def dump(self):
        return dump(self.server, self.instance.database)

    def _before(self):
        return self.dump()

    def _plan(self):
        self.part("before")
        code, plan = self.instance.plan()
        return code, plan, self.dump()

    def _upgraded(self):
        self.part("plan")
        self.instance.apply()
        return self.dump()

    def _repeated(self):
        self.part("upgraded")
        code, plan = self.instance.plan()
        self.instance.apply()
        return code, plan, self.instance.status(), self.dump()

    def _served(self):
        self.part("repeated")
        server = Served(self.instance.tarn)
        try:
            return self.look_around(server)
        finally:
            server.stop()

    def look_around(self, server):
        seen = {}

        def get(path):
            seen[path] = answer = server.call("GET", path)
            return answer.json() if answer.status_code == 200 else None

        for path in ("/ready", "/health", "/projects", "/blueprints", "/pipelines", "/api-keys", "/plugins/webhook/connections", "/plugins"):
            get(path)
        for plugin in ("github", "jira", "jenkins"):
            for connection in get(f"/plugins/{plugin}/connections") or []:
                get(f"/plugins/{plugin}/connections/{connection['id']}")
                get(f"/plugins/{plugin}/connections/{connection['id']}/scopes?pageSize=1000")
                get(f"/plugins/{plugin}/connections/{connection['id']}/scope-configs")
        for row in self.part("upgraded")["_devlake_blueprints"].dicts():
            get(f"/blueprints/{row['id']}")
        for row in self.part("upgraded")["_devlake_pipelines"].dicts():
            get(f"/pipelines/{row['id']}/tasks")
        return seen

    def _rolled_back(self):
        self.part("upgraded")
        with contextlib.suppress(Exception):
            self.part("served")
        self.instance.rollback()
        return self.dump()

    def _again(self):
        self.part("rolled_back")
        self.instance.apply()
        return self.dump()

    def _reference(self):
        script = self.release.after()
        if script is None:
            pytest.skip("the reference could not upgrade it")
        name = database_name(f"reference_{self.release.name}")
        self.server.admin(f"create database {name} character set utf8mb4 collate utf8mb4_bin")
        load(self.server, name, script)
        return dump(self.server, name)

    def answer(self, path):
        answer = self.part("served").get(path)
        assert answer is not None, f"{path} was not asked for: what leads there failed"
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.json()


@pytest.fixture(scope="module", params=RELEASES)
def way(request, program, mariadb, tmp_path_factory):  # noqa: F811
    journey = Journey(program, tmp_path_factory.mktemp("way"), mariadb, request.param)
    yield journey
    journey.instance.remove()


def told(found):
    assert not found, f"{len(found)}:\n" + "\n".join(found)


# ---- the plan


def test_plan_tells_and_changes_nothing(way):
    code, plan, now = way.part("plan")
    assert code == DUE and not plan["problems"], plan["problems"]
    history = way.part("before")["_devlake_migration_history"].rows
    assert plan["found"]["kind"] == "devlake"
    assert plan["found"]["scripts"] == len({row[1:3] for row in history})
    assert plan["found"]["release"] == way.release.name
    assert plan["steps"] and all(step["id"] and step["title"] for step in plan["steps"])
    assert plan["backup_bytes"] > 0 and plan["seconds"] > 0
    told(differences(way.part("before"), now))


def test_plan_names_what_will_be_set_aside_and_left(way):
    _, plan, _ = way.part("plan")
    before, upgraded = way.part("before"), way.part("upgraded")
    set_aside = {name.removeprefix("_tarn_old_") for name in upgraded if name.startswith("_tarn_old_") and upgraded[name].rows}
    assert {end_states.newest_name(name) for name in plan["collect_again"]} == set_aside
    others = {name for name in before if name.startswith(("_tool_", "_raw_")) and not is_of_connector(name, connectors())}
    told(sorted(others - set(plan["left_alone"]) - {"_tool_customized_fields"}))
    told(sorted(set(plan["left_alone"]) - set(before)))
    told(differences({name: before[name] for name in plan["left_alone"]}, {name: upgraded.get(name) or upgraded[name] for name in plan["left_alone"]}))


# ---- what is there afterwards


def test_no_row_is_lost(way):
    told(end_states.lost_rows(way.part("before"), way.part("upgraded")))


def test_what_is_set_aside_is_as_it_was(way):
    before, upgraded = way.part("before"), way.part("upgraded")
    by_newest_name = {end_states.newest_name(name): table for name, table in before.items()}
    found = []
    for name, kept in upgraded.items():
        if name.startswith("_tarn_old_"):
            assert len(name) <= 64
            old = by_newest_name.get(name.removeprefix("_tarn_old_"))
            if old is None:
                found.append(f"{name}: whose is it?")
            elif sorted(old.rows, key=repr) != sorted(kept.rows, key=repr):
                found.append(f"{name}: other rows than before")
    told(found)


def test_as_the_reference_upgrades_it(way):
    told(end_states.not_of_reference(way.release.name, way.key, way.part("reference"), way.part("upgraded")))


def stored(way, table, identity, column):
    rows = [row for row in way.part("upgraded")[table].dicts() if row["id"] == str(identity)]
    assert len(rows) == 1, f"{table}: {len(rows)} rows with id {identity}"
    assert column in rows[0], f"{table} has no {column}"
    return rows[0][column]


def test_secrets_of_connections(way):
    found = []
    for secret in way.release.seeds["connections_in_db"]:
        table, column, identity = secret["table"], secret["column"], secret["id"]
        plain = secret["plain"]
        if column == "basic_auth_encoded":
            table = "_tool_jira_connections"
            user, plain = base64.b64decode(plain).decode().split(":", 1)
            column = "password"
            if stored(way, table, identity, "username") != user:
                found.append(f"{table}.username of {identity} is another one")
        cell = stored(way, table, identity, column)
        opened = "" if cell is None else decrypt(way.key, cell)
        if opened != plain:
            found.append(f"{table}.{column} of {identity}: {'the key does not open it' if opened is None else 'another text'}")
    told(found)


def test_connections_of_old_settings(way):
    settings = way.release.seeds["secrets_in_env"]
    if not settings:
        pytest.skip("this release keeps connections in the database")
    found = []
    upgraded = way.part("upgraded")
    for plugin, column, of in (("github", "token", "github token"), ("jenkins", "password", "jenkins password"), ("gitlab", "token", "gitlab token")):
        rows = upgraded[f"_tool_{plugin}_connections"].dicts() if f"_tool_{plugin}_connections" in upgraded else []
        if plugin not in connectors():
            notes = " ".join(way.part("plan")[1]["notes"])
            if plugin not in notes.lower():
                found.append(f"{plugin}: there is no such connector, and the plan says nothing of its connection")
            continue
        if len(rows) != 1:
            found.append(f"{plugin}: {len(rows)} connections")
        elif decrypt(way.key, rows[0][column] or "") != settings[of]:
            found.append(f"{plugin}: {column} is not that of the settings")
        elif plugin == "jenkins" and rows[0]["username"] != settings["jenkins username"]:
            found.append("jenkins: username is not that of the settings")
    told(found)


def test_plans_and_options(way):
    """Encrypted values of blueprints, pipelines and tasks."""
    found = []
    for cell, values in way.release.seeds["blueprints"].items():
        table, column = cell.split(".")
        if column == "settings":
            continue  # rows of other tables now, compared with the reference's
        for identity, secret in values.items():
            text = stored(way, table, identity, column)
            opened = "null" if text is None else decrypt(way.key, text)
            if opened is None:
                found.append(f"{cell} of {identity}: the key does not open it")
            elif json.loads(opened or "null") != json.loads(secret["plain"] or "null"):
                found.append(f"{cell} of {identity}: another text")
    told(found)


def test_old_plans_name_their_connections(way):
    if way.release.seeds["blueprints"].get("_devlake_blueprints.plan"):
        pytest.skip("plans of this release name connections")
    old = {row["id"]: json.loads(row["tasks"]) for row in way.part("before")["_devlake_blueprints"].dicts()}
    for row in way.part("upgraded")["_devlake_blueprints"].dicts():
        plan = json.loads(decrypt(way.key, row["plan"]))
        assert [[task["plugin"] for task in stage] for stage in plan] == [[task["plugin"] for task in stage] for stage in old[row["id"]]]
        for stage, old_stage in zip(plan, old[row["id"]]):
            for task, old_task in zip(stage, old_stage):
                if task["plugin"] in ("refdiff", "gitextractor"):
                    continue
                options, before = task["options"], old_task["options"]
                assert "sourceId" not in options
                if task["plugin"] in ("github", "gitlab", "jenkins", "jira"):
                    assert options.get("connectionId") == before.get("sourceId", 1), f"blueprint {row['id']}: {task['plugin']} names no connection"
                assert all(options.get(name) == text for name, text in before.items() if name not in ("sourceId", "owner", "repo"))
                if "repo" in before:
                    assert options["name"] == f"{before['owner']}/{before['repo']}"


def test_every_webhook_has_a_key(way):
    upgraded = way.part("upgraded")
    keys = {row["name"]: row for row in upgraded["_devlake_api_keys"].dicts()}
    old_keys = {row["name"]: row for row in (way.part("before").get("_devlake_api_keys") or type(upgraded["_devlake_api_keys"])()).dicts()}
    for row in upgraded["_tool_webhook_connections"].dicts():
        key = keys[f"webhook-{row['id']}"]
        assert re.fullmatch(r"[0-9a-f]{64}", key["api_key"])
        assert key["allowed_path"] == f"/plugins/webhook/connections/{row['id']}/.*"
    assert all(keys[name]["api_key"] == row["api_key"] for name, row in old_keys.items())


def test_rules_are_scope_configs(way):
    """Old transformation rules, column by column, and the scopes that use them."""
    found = []
    before, upgraded = way.part("before"), way.part("upgraded")
    for plugin in ("github", "jira", "jenkins"):
        old = before.get(f"_tool_{plugin}_transformation_rules") or before.get(f"_tool_{plugin}_scope_configs")
        if old is None:
            continue
        new = {row["id"]: row for row in upgraded[f"_tool_{plugin}_scope_configs"].dicts()}
        for row in old.dicts():
            odd = [column for column, text in row.items() if (text or "") not in ("", "null") and new.get(row["id"], {}).get(column) != text]
            found += [f"_tool_{plugin}_scope_configs.{column} of {row['id']}" for column in odd]
        for scopes in (name for name in (f"_tool_{plugin}_repos", f"_tool_{plugin}_boards", f"_tool_{plugin}_jobs") if name in before):
            number = "transformation_rule_id" if "transformation_rule_id" in before[scopes].columns else "scope_config_id"
            if number not in before[scopes].columns:
                continue
            key = before[scopes].key
            now = {tuple(row[column] for column in key): row["scope_config_id"] for row in upgraded[scopes].dicts()}
            found += [f"{scopes}.scope_config_id" for row in before[scopes].dicts()
                      if (row[number] or "0") != (now.get(tuple(row[column] for column in key)) or "0")]
    told(found)


# ---- twice


def test_second_upgrade_has_nothing_to_do(way):
    code, plan, status, now = way.part("repeated")
    assert code == NOTHING_TO_DO and plan["found"]["kind"] == "tarn" and not plan["steps"]
    assert status == "done"
    told(differences(way.part("upgraded"), now))


# ---- through the API


def test_api_answers(way):
    bad = [f"{path}: {answer.status_code}" for path, answer in way.part("served").items() if answer.status_code != 200]
    told(bad)
    health = way.answer("/health")
    assert health["message"] == "good", health


def test_api_shows_connections(way):
    upgraded = way.part("upgraded")
    for plugin in ("github", "jira", "jenkins"):
        rows = {row["id"]: row for row in upgraded[f"_tool_{plugin}_connections"].dicts()}
        shown = way.answer(f"/plugins/{plugin}/connections")
        assert {(str(one["id"]), one["name"], one["endpoint"]) for one in shown} == {(row["id"], row["name"], row["endpoint"]) for row in rows.values()}
        for one in shown:
            assert not one.get("problem"), f"{plugin} {one['id']}: {one['problem']}"
            for column, name in (("token", "token"), ("password", "password"), ("secret_key", "secretKey")):
                cell = rows[str(one["id"])].get(column)
                plain = decrypt(way.key, cell) if cell else ""
                if plain and plain in json.dumps(one, ensure_ascii=False):
                    pytest.fail(f"{plugin} {one['id']}: {name} is shown")
                if plain and name == "token" and "*" not in one.get(name, ""):
                    pytest.fail(f"{plugin} {one['id']}: {name} is not shown masked")


def test_api_shows_scopes_with_their_config(way):
    upgraded = way.part("upgraded")
    for plugin, table, key in (("github", "_tool_github_repos", "githubId"), ("jira", "_tool_jira_boards", "boardId"), ("jenkins", "_tool_jenkins_jobs", "fullName")):
        for connection in upgraded[f"_tool_{plugin}_connections"].dicts():
            shown = way.answer(f"/plugins/{plugin}/connections/{connection['id']}/scopes?pageSize=1000")
            column = re.sub("([A-Z])", r"_\1", key).lower()
            want = {row[column]: row["scope_config_id"] or "0" for row in upgraded[table].dicts() if row["connection_id"] == connection["id"]}
            assert {str(one["scope"][key]): str(one["scope"].get("scopeConfigId") or 0) for one in shown["scopes"]} == want
            names = {row["id"]: row["name"] for row in upgraded[f"_tool_{plugin}_scope_configs"].dicts()}
            for one in shown["scopes"]:
                number = str(one["scope"].get("scopeConfigId") or 0)
                assert (one.get("scopeConfig") or {}).get("name") == names.get(number)
            configs = way.answer(f"/plugins/{plugin}/connections/{connection['id']}/scope-configs")
            assert {one["name"] for one in configs} == {row["name"] for row in upgraded[f"_tool_{plugin}_scope_configs"].dicts()
                                                        if row["connection_id"] == connection["id"]}


def test_api_shows_projects_blueprints_and_pipelines(way):
    upgraded = way.part("upgraded")
    assert {one["name"] for one in way.answer("/projects")["projects"]} == {row["name"] for row in upgraded["projects"].dicts()}
    blueprints = {str(one["id"]): one for one in way.answer("/blueprints")["blueprints"]}
    assert {(one, blueprints[one]["name"]) for one in blueprints} == {(row["id"], row["name"]) for row in upgraded["_devlake_blueprints"].dicts()}
    for row in upgraded["_devlake_blueprints"].dicts():
        shown = way.answer(f"/blueprints/{row['id']}")
        assert [shown["mode"], shown["cronConfig"], shown["enable"], shown["projectName"]] == \
            [row["mode"], row["cron_config"], row["enable"] == "1", row["project_name"]]
        # Addresses are shown without their passwords.
        same_plan = shown["plan"] == json.loads(re.sub(r"://[^/@\"]*:[^/@\"]*@", "://***@", decrypt(way.key, row["plan"])))
        assert same_plan, f"the plan of blueprint {row['id']} is another one"
        connections = {(one["blueprint_id"], one["plugin_name"], one["connection_id"]) for one in upgraded["_devlake_blueprint_connections"].dicts()}
        assert {(row["id"], one["pluginName"], str(one["connectionId"])) for one in shown["connections"] or []} == \
            {one for one in connections if one[0] == row["id"]}
    assert {str(one["id"]) for one in way.answer("/pipelines")["pipelines"]} == {row["id"] for row in upgraded["_devlake_pipelines"].dicts()}
    for row in upgraded["_devlake_pipelines"].dicts():
        tasks = way.answer(f"/pipelines/{row['id']}/tasks")["tasks"]
        assert len(tasks) == sum(task["pipeline_id"] == row["id"] for task in upgraded["_devlake_tasks"].dicts())
    assert {one["name"] for one in way.answer("/plugins/webhook/connections")} == {row["name"] for row in upgraded["_tool_webhook_connections"].dicts()}


# ---- back, and again


def test_rollback_brings_everything_back(way):
    told(differences(way.part("before"), way.part("rolled_back")))


def test_upgrade_after_rollback_ends_alike(way):
    told(end_states.state_differences(way.part("upgraded"), way.part("again"), way.key))


def test_forget_removes_what_was_kept(way):
    way.part("again")
    done = way.instance.upgrade("forget", "--yes")
    assert done.returncode == 0, done.stderr
    now = way.dump()
    assert not [name for name in now if name.startswith("_tarn_old_")]
    kept = {name: table for name, table in way.part("again").items() if not name.startswith("_tarn_old_")}
    told([text for text in differences(kept, now) if not text.startswith("_tarn_upgrades")])
    backups = way.instance.tarn.home / "backups"
    assert not [path for path in backups.rglob("*.backup")]
    refused = way.instance.upgrade("rollback", "--yes")
    assert refused.returncode != 0 and "error" in refused.stderr
    told([text for text in differences(kept, way.dump()) if not text.startswith("_tarn_upgrades")])


# ---- secrets reach their source


@contextlib.contextmanager
def listener():
    """Answers everything with an empty object, and keeps the logins that it is shown."""
    logins = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            logins.append(self.headers.get("Authorization", ""))
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", logins
    finally:
        server.shutdown()


def shown_login(authorization):
    kind, _, text = authorization.partition(" ")
    return base64.b64decode(text).decode() if kind == "Basic" else text


@pytest.mark.parametrize("name", RELEASES)
def test_sources_are_asked_with_the_old_secrets(name, program, mariadb, tmp_path):  # noqa: F811
    release = Release(name)
    instance = install(program, tmp_path / "instance", mariadb, release, f"login_{name}")
    want = []
    with listener() as (url, logins):
        env = instance.env_file.read_text()
        for setting in ("GITHUB_ENDPOINT", "JENKINS_ENDPOINT"):
            env = re.sub(rf"^{setting}=.*$", f"{setting}={url}", env, flags=re.M)
        instance.env_file.write_text(env)
        tables = {table for table, in instance.rows("select table_name from information_schema.tables where table_schema = database()")}
        for table in ("_tool_github_connections", "_tool_jira_connections", "_tool_jenkins_connections", "_tool_jira_sources"):
            if table in tables:
                instance.run_sql(f"update {table} set endpoint = '{url}', proxy = ''")
        instance.apply()
        rows = dump(mariadb, instance.database)
        server = Served(instance.tarn)
        try:
            for plugin in ("github", "jira", "jenkins"):
                for row in rows[f"_tool_{plugin}_connections"].dicts():
                    if row.get("auth_method") == "AppKey":
                        continue  # would ask for a token with the app's key, which is no key
                    login = decrypt(release.key, row.get("token") or "")
                    logins_of_it = login.split(",") if login else [f"{row['username']}:{decrypt(release.key, row['password'])}"]
                    want.append((f"{plugin} {row['id']}", set(logins_of_it)))
                    server.call("POST", f"/plugins/{plugin}/connections/{row['id']}/test", {})
        finally:
            server.stop()
    seen = {shown_login(login) for login in logins if login}
    instance.remove()
    assert len(want) > 2
    told([f"{connection}: was not asked with its secret" for connection, any_of in want if not any_of & seen])
