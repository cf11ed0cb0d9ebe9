"""The key of the stored secrets: made once, told from a wrong one, changed, found again; and no secret where none may be."""

import base64
import hashlib
import os
import re
import signal
import sqlite3
import stat
import subprocess

import pytest
import requests

import github
from conftest import SIZES, TOKEN, Served, Tarn

PASSWORD = "planted-password-0815"


def old_format(secret, text):
    """As Apache DevLake up to 1.0.3 encrypts."""
    key = hashlib.sha256(secret.encode()).hexdigest()
    sealed = subprocess.run(["openssl", "enc", "-aes-256-cbc", "-K", key, "-iv", key[:32]], input=(text + "{nddtf}").encode(),
                            capture_output=True, check=True).stdout
    return base64.b64encode(sealed).decode()


class Keyed(Tarn):
    """A home with an .env of its own beside it."""

    @property
    def env_file(self):
        return self.home.parent / ".env"

    def key_of(self, name="ENCRYPTION_SECRET"):
        found = re.search(rf'^{name}="?([^"\n]*)"?$', self.env_file.read_text(), re.M)
        return found and found.group(1)

    def key(self, *arguments, given=None, code=0, env=None):
        done = subprocess.run([self.program, "key", *arguments], cwd=self.home.parent, env=self.environment | (env or {}),
                              input=given, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def cells(self, sql):
        with sqlite3.connect(self.home / "control.sqlite") as store:
            return store.execute(sql).fetchall()


@pytest.fixture(scope="module")
def kept(program, tmp_path_factory):
    """A home that was used: a connection, a blueprint, an API key. Copied by each test."""
    tarn = Keyed(program, tmp_path_factory.mktemp("kept") / "home")
    tarn.env_file.write_text("# mine\nAPI_RETRY=1   # few\n")
    server = Served(tarn)
    try:
        connection = server.add_connection("http://127.0.0.1:1/", proxy=f"http://me:{PASSWORD}@127.0.0.1:1")
        plan = [[{"plugin": "github", "options": {"connectionId": connection["id"], "name": "octo/alpha"}}]]
        blueprint = {"name": "b", "mode": "ADVANCED", "isManual": True, "enable": True, "plan": plan}
        assert server.call("POST", "/blueprints", blueprint).status_code == 201
        api_key = server.call("POST", "/api-keys", {"name": "k", "type": "devlake", "allowedPath": ".*"}).json()["apiKey"]
    finally:
        server.stop()
    return tarn, api_key


@pytest.fixture
def home(kept, program, tmp_path):
    tarn, api_key = kept
    subprocess.run(["cp", "-r", str(tarn.home), str(tarn.env_file), str(tmp_path)], check=True)
    copy = Keyed(program, tmp_path / "home")
    copy.api_key = api_key
    return copy


def with_key(server, api_key):
    return server.call("GET", "/rest/plugins", headers={"Authorization": f"Bearer {api_key}"})


def assert_works(tarn, api_key_valid=True):
    """Secrets can be used: the token is shown masked, and the API key opens its path."""
    server = Served(tarn)
    try:
        assert server.call("GET", "/health").json()["message"] == "good"
        shown = server.call("GET", "/plugins/github/connections/1").json()
        assert "problem" not in shown and shown["token"].startswith(TOKEN[:2]) and "*" in shown["token"]
        assert server.call("GET", "/blueprints/1").json()["plan"][0][0]["plugin"] == "github"
        assert with_key(server, tarn.api_key).status_code == (200 if api_key_valid else 403)
    finally:
        _, log = server.stop()
    assert "degraded" not in log
    return log


# ---- the first start

def test_a_key_is_made_once_and_other_lines_stay(home):
    text = home.env_file.read_text()
    assert text.startswith("# mine\nAPI_RETRY=1   # few\nENCRYPTION_SECRET=")
    assert re.fullmatch("[A-Z]{128}", home.key_of())
    assert stat.S_IMODE(home.env_file.stat().st_mode) == 0o600
    assert_works(home)
    assert home.env_file.read_text() == text


@pytest.mark.parametrize("lines, used", [("ENCODE_KEY=old one\n", "ENCODE_KEY"),
                                         ("ENCODE_KEY=other\nENCRYPTION_SECRET=new one\n", "ENCRYPTION_SECRET")])
def test_a_key_that_is_there_is_used_and_not_copied(program, tmp_path, lines, used):
    tarn = Keyed(program, tmp_path / "home")
    tarn.env_file.write_text(lines)
    Served(tarn).stop()
    assert tarn.env_file.read_text() == lines
    assert f"{used} in" in tarn.key("check")


def test_where_nothing_can_be_written_it_says_what_to_do(program, tmp_path):
    tarn = Keyed(program, tmp_path / "home")
    (tmp_path / "file").write_text("")
    done = tarn.run("serve", "--port", "0", env={"ENV_FILE": str(tmp_path / "file" / ".env")})
    assert done.returncode == 1 and "file/.env" in done.stderr and "ENV_FILE" in done.stderr


# ---- an instance of Apache DevLake: encrypted cells, no check value

def test_an_old_instance_is_opened_by_the_key_that_fits(home):
    with sqlite3.connect(home.home / "control.sqlite") as store:
        store.execute("delete from _tarn_key_values")
        store.execute("update _tool_github_connections set proxy = '', secret_key = null, refresh_token = null, token = ?", [old_format("of-2022", TOKEN)])
        store.execute("update _devlake_blueprints set plan = ?", [old_format("of-2022", '[[{"plugin":"github"}]]')])
    home.env_file.write_text("ENCRYPTION_SECRET=set-later\nENCODE_KEY=of-2022\n")
    log = assert_works(home, api_key_valid=False)
    assert "ENCODE_KEY" in log and "does not open the stored secrets" in log
    home.env_file.write_text("ENCRYPTION_SECRET=set-later\n")
    assert "does not open the stored secrets" in home.key("check", code=1)


# ---- wrong and lost keys

@pytest.mark.parametrize("lines, said", [("ENCRYPTION_SECRET=wrong\n", "does not open"), ("", "is missing")])
def test_without_its_key_the_server_is_degraded(home, lines, said):
    home.env_file.write_text(lines)
    before = home.cells("select token, secret_key, proxy from _tool_github_connections")
    check = home.cells("select name, value from _tarn_key_values")
    server = Served(home)
    try:
        health = server.call("GET", "/health").json()
        assert health["message"].startswith("degraded") and said in health["data"]["problems"][0]
        assert "tarn key import" in health["data"]["problems"][0]
        shown = server.call("GET", "/plugins/github/connections").json()[0]
        assert said in shown["problem"] and shown["token"] == "" and shown["proxy"] == ""
        assert server.call("GET", "/blueprints").json()["blueprints"][0]["plan"] is None
        # What needs no secret works, also on the connection itself.
        assert server.call("PATCH", "/plugins/github/connections/1", {"name": "renamed"}).json()["name"] == "renamed"
        refused = [("POST", "/plugins/github/connections", {"name": "new", "endpoint": "http://127.0.0.1:1/", "token": "t"}),
                   ("PATCH", "/plugins/github/connections/1", {"token": "t"}),
                   ("PATCH", "/blueprints/1", {"name": "other"}),
                   ("POST", "/blueprints/1/trigger", {}),
                   ("POST", "/pipelines", {"name": "p", "plan": [[{"plugin": "github", "options": {"connectionId": 1}}]]}),
                   ("POST", "/api-keys", {"name": "k2", "type": "devlake", "allowedPath": ".*"})]
        for method, path, body in refused:
            answer = server.call(method, path, body)
            assert answer.status_code == 503 and "tarn key import" in answer.json()["message"], (path, answer.text)
        tested = server.call("POST", "/plugins/github/connections/1/test", {})
        assert tested.status_code == 400 and "tarn key import" in tested.json()["message"]
        assert with_key(server, home.api_key).status_code == 503
    finally:
        _, log = server.stop()
    assert "degraded" in log
    assert home.cells("select token, secret_key, proxy from _tool_github_connections") == before
    assert home.cells("select name, value from _tarn_key_values") == check
    assert home.env_file.read_text() == lines


def test_a_run_without_the_key_says_the_next_step(home):
    home.environment["CONSUME_PIPELINES"] = "false"
    server = Served(home)
    try:
        body = {"name": "p", "plan": [[{"plugin": "github", "options": {"connectionId": 1, "name": "octo/alpha"}}]]}
        queued = server.call("POST", "/pipelines", body).json()["id"]
    finally:
        server.stop()
    del home.environment["CONSUME_PIPELINES"]
    home.env_file.write_text("ENCRYPTION_SECRET=wrong\n")
    server = Served(home)
    try:
        pipeline = server.wait(queued)
        task = server.call("GET", f"/pipelines/{queued}/tasks").json()["tasks"][0]
    finally:
        server.stop()
    assert pipeline["status"] == "TASK_FAILED"
    assert "tarn key import" in task["message"] and task["options"] is None


def test_one_secret_of_another_key_spoils_its_connection_only(home):
    with sqlite3.connect(home.home / "control.sqlite") as store:
        store.execute("insert into _tool_github_connections (name, endpoint, token, created_at, updated_at) "
                      "select 'second', endpoint, ?, created_at, updated_at from _tool_github_connections", [old_format("other", "x")])
    assert "_tool_github_connections.token" in home.key("check", code=1)
    server = Served(home)
    try:
        first, second = server.call("GET", "/plugins/github/connections").json()
        assert "problem" not in first and "tarn key import" in second["problem"]
        mended = server.call("PATCH", "/plugins/github/connections/2", {"token": "entered-again"}).json()
        assert "problem" not in mended and mended["token"] == "en*********in"
    finally:
        server.stop()


# ---- tarn key

def test_rotation_keeps_all_secrets_and_api_keys(home):
    old, before = home.key_of(), home.cells("select token from _tool_github_connections")
    said = home.key("rotate")
    assert "stay valid: 1" in said and old not in said and home.key_of() not in said
    assert home.key_of() != old and home.key_of("ENCRYPTION_SECRET_PREVIOUS") is None
    assert home.env_file.read_text().startswith("# mine\nAPI_RETRY=1   # few\n")
    assert home.cells("select token from _tool_github_connections") != before
    assert_works(home)
    home.key("rotate", "--key-file", "-", given="chosen by $me # and 'odd'\n")
    assert_works(home)
    home.key("rotate", "--key-env", "GIVEN", env={"GIVEN": "third"})
    assert home.key_of() == "third"
    assert_works(home)


def test_rotation_of_a_key_of_the_environment(home):
    old = home.key_of()
    home.env_file.write_text("")
    home.environment["ENCRYPTION_SECRET"] = old
    assert "set in the environment" in home.key("rotate")
    assert "take the other one out" in assert_works(home)
    del home.environment["ENCRYPTION_SECRET"]
    assert_works(home)


@pytest.mark.parametrize("store_changed", [False, True])
def test_a_rotation_that_was_cut_off(home, store_changed):
    """As killed before and after the transaction: both files as they are then."""
    old = home.env_file.read_text()
    old_key = home.key_of()
    old_store = (home.home / "control.sqlite").read_bytes()
    home.key("rotate")
    new_key = home.key_of()
    if not store_changed:
        for rest in home.home.glob("control.sqlite-*"):
            rest.unlink()
        (home.home / "control.sqlite").write_bytes(old_store)
    home.env_file.write_text(old.replace(old_key, new_key) + f"ENCRYPTION_SECRET_PREVIOUS={old_key}\n")
    log = assert_works(home)
    assert ("tarn key rotate" in log) == (not store_changed)
    if not store_changed:
        home.key("rotate")
        assert home.key_of() == new_key, "it ends what was begun"
        assert_works(home)
    assert home.key_of("ENCRYPTION_SECRET_PREVIOUS") is None


def test_a_kill_in_the_middle_of_a_rotation_loses_nothing(home):
    for seconds in (0.1, 0.3, 0.6):
        process = home.start("key", "rotate")
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        home.key("check")
    assert_works(home)


def test_the_right_key_is_imported(home):
    right = home.key_of()
    home.env_file.write_text("ENCRYPTION_SECRET=wrong\n")
    assert "does not open" in home.key("import", "--key-file", "-", given="also wrong", code=1)
    assert home.env_file.read_text() == "ENCRYPTION_SECRET=wrong\n"
    assert "does not open" in home.key("rotate", code=1)
    home.key("import", "--key-file", "-", given=right + "\n")
    assert home.env_file.read_text() == f'ENCRYPTION_SECRET="{right}"\n'
    assert_works(home)


def test_the_old_key_is_imported_into_the_new_one(home):
    right = home.key_of()
    home.env_file.write_text("ENCRYPTION_SECRET=the new one\n")
    (home.home.parent / "old.key").write_text(right)
    home.key("import", "--re-encrypt", "--key-file", "old.key")
    assert home.key_of() == "the new one"
    assert_works(home)


def test_a_key_that_is_gone_for_good(home):
    home.env_file.write_text("")
    said = home.key("rotate", "--forget-unreadable")
    assert "_tool_github_connections.token" in said and "must be made again: 1" in said
    server = Served(home)
    try:
        assert server.call("GET", "/health").json()["message"] == "good"
        shown = server.call("PATCH", "/plugins/github/connections/1", {"token": "entered-again"}).json()
        assert "problem" not in shown and shown["token"] == "en*********in"
        assert with_key(server, home.api_key).status_code == 403
    finally:
        server.stop()


def test_a_running_server_is_named(home):
    server = Served(home)
    try:
        for command in (["check"], ["rotate"], ["import", "--key-env", "GIVEN"]):
            said = home.key(*command, code=1, env={"GIVEN": "x"})
            assert "in use" in said and server.url in said and "Stop it" in said
    finally:
        server.stop()


def test_the_page_of_settings_is_the_list(program):
    from conftest import ROOT
    listed = subprocess.run([program, "settings", "--markdown"], capture_output=True, text=True, check=True, cwd=ROOT,
                            env={**os.environ, "TARN_SHARE": str(ROOT)}).stdout
    assert listed in (ROOT / "docs" / "configuration.md").read_text(), "put the output of build/tarn settings --markdown into it"


# ---- planted secrets

def gets(server):
    """Every GET route, with the ids of what is there."""
    document = server.call("GET", "/openapi.json").json()
    for path, methods in document["paths"].items():
        if "get" not in methods or "/proxy/" in path:
            continue
        known = {"connectionId": "1", "scopeId": "1", "scopeConfigId": "1", "apiKeyId": "1", "pipelineId": "1", "blueprintId": "1", "taskId": "1",
                 "projectName": "planted"}
        yield re.sub(r"\{(\w+)\}", lambda found: known.get(found.group(1), "1"), path)


def test_no_planted_secret_is_anywhere(program, tmp_path):
    tarn = Keyed(program, tmp_path / "home")
    key, notification = "planted-key-of-the-store", "planted-notification-secret"
    planted = {"token": TOKEN, "proxy password": PASSWORD, "app key": "planted-app-key", "refresh": "planted-refresh-token", "password": "planted-jenkins-pw",
               "plan": "planted-in-a-plan", "key": key, "notification": notification, "hook": "planted-hook-query"}
    with github.start(**SIZES) as fake:
        tarn.env_file.write_text(f"ENCRYPTION_SECRET={key}\nNOTIFICATION_SECRET={notification}\n"
                                 f"NOTIFICATION_ENDPOINT={fake.url}/hook?secret={planted['hook']}\n")
        server = Served(tarn)
        answers = []

        def call(method, path, body=None, own=False):
            answer = server.call(method, path, body)
            if not own:
                answers.append((f"{method} {path}", answer.text))
            return answer

        try:
            # A proxy that does not answer: its password would be told in the error of a run.
            secrets = {"token": TOKEN, "secretKey": planted["app key"], "refreshToken": planted["refresh"]}
            body = {"name": "good", "endpoint": fake.url, **secrets}
            connection = call("POST", "/plugins/github/connections", body).json()
            call("POST", "/plugins/github/connections", {**body, "name": "proxied", "proxy": f"http://me:{PASSWORD}@127.0.0.1:1"})
            call("PATCH", "/plugins/github/connections/2", {"name": "renamed", "proxy": "http://***@127.0.0.1:1"})
            call("POST", "/plugins/github/connections/2/test", {})
            call("POST", "/plugins/jenkins/connections", {"name": "j", "endpoint": "http://127.0.0.1:1/", "username": "u", "password": planted["password"]})
            scope = server.add_repo(connection["id"])
            call("POST", "/projects", {"name": "planted"})
            hook = call("POST", "/plugins/webhook/connections", {"name": "w"}, own=True).json()
            planted["webhook key"] = hook["apiKey"]["apiKey"]
            made = call("POST", "/api-keys", {"name": "k", "type": "devlake", "allowedPath": ".*"}, own=True).json()
            planted["api key"] = made["apiKey"]
            options = {"connectionId": 1, "githubId": scope["githubId"], "name": "octo/alpha"}
            plan = [[{"plugin": "github", "options": options}], [{"plugin": "github", "options": {**options, "connectionId": 2}}]]
            pipeline = call("POST", "/pipelines", {"name": "p", "plan": plan}).json()
            server.wait(pipeline["id"])
            hidden = [[{"plugin": "github", "options": {**options, "cloneUrl": f"https://x:{planted['plan']}@example.invalid/"}}]]
            call("POST", "/blueprints", {"name": "b", "mode": "ADVANCED", "isManual": True, "enable": True, "plan": hidden})
            call("PATCH", "/blueprints/1", {"name": "b2", "plan": call("GET", "/blueprints/1").json()["plan"]})
            call("POST", "/pipelines", {"name": "hidden", "plan": hidden})
            server.wait(2)
            assert with_key(server, planted["api key"]).status_code == 200
            for path in gets(server):
                call("GET", path)
            with open(f"/proc/{server.process.pid}/cmdline", "rb") as line:
                arguments = line.read().decode()
        finally:
            status, log = server.stop()
        recorded = requests.get(fake.url + "/_fake/requests", timeout=30).json()["requests"]
        urls = "\n".join(f"{entry['path']}?{entry['query']}" for entry in recorded)
    assert status == 0
    places = answers + [("arguments", arguments), ("stderr", log), ("urls", urls)]
    places += [(str(path.relative_to(tmp_path)), path.read_bytes().decode("latin-1"))
               for path in sorted(tarn.home.rglob("*")) if path.is_file()]
    names = [name for name, _ in places]
    assert {"home/control.sqlite", "home/data.duckdb"} <= set(names) and any("logs" in name for name in names) and len(answers) > 30
    found = [(what, name) for name, text in places for what, secret in planted.items() if secret in text
             and not (name == "urls" and what == "hook")]
    assert not found
