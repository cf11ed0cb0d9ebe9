"""`tarn serve` on a database of DevLake: it waits to be told, as DevLake does, or upgrades at the start with FORCE_MIGRATION."""

import contextlib
import json
import threading
import time

import pytest
import requests

import end_states
from database_dumps import differences, dump
from old_instances import RELEASES, Release, Served, install, mariadb, needs_history, program  # noqa: F401

pytestmark = needs_history
GUARDED = [("GET", "/projects"), ("GET", "/blueprints"), ("POST", "/pipelines"), ("GET", "/plugins/github/connections"), ("GET", "/plugins"),
           ("POST", "/plugins/webhook/connections/1/deployments"), ("GET", "/no-such-page")]


def until_ready(server, seconds=30):
    for _ in range(seconds * 10):
        with contextlib.suppress(requests.ConnectionError):
            if server.call("GET", "/ready").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("not ready")


@pytest.fixture(params=RELEASES)
def old(request, program, mariadb, tmp_path):  # noqa: F811
    release = Release(request.param)
    instance = install(program, tmp_path / "instance", mariadb, release, f"consent_{request.param}")
    yield release, instance
    instance.remove()


def test_waits_for_consent(old):
    _, instance = old
    before = dump(instance.server, instance.database)
    server = Served(instance.tarn)
    try:
        assert server.call("GET", "/ping").status_code == 200
        assert server.call("GET", "/version").status_code == 200
        ready = server.call("GET", "/ready")
        assert ready.status_code == 503 and "waiting for migration confirmation" in ready.json()["message"]
        health = server.call("GET", "/health")
        assert health.status_code == 200 and health.json()["message"] == "maybe"
        for method, path in GUARDED:
            answer = server.call(method, path, {} if method == "POST" else None)
            assert answer.status_code == 428, f"{method} {path}: {answer.status_code}"
            envelope = answer.json()
            assert envelope["success"] is False and "proceed-db-migration" in envelope["message"]
        assert not differences(before, dump(instance.server, instance.database))
    finally:
        server.stop()
    assert not differences(before, dump(instance.server, instance.database))


def test_consent_over_http(old):
    release, instance = old
    server = Served(instance.tarn)
    try:
        agreed = server.call("GET", "/proceed-db-migration")
        assert agreed.status_code == 200 and agreed.json()["success"] is True, agreed.text
        until_ready(server)
        assert server.call("GET", "/proceed-db-migration").status_code in (200, 404)
        blueprints = server.call("GET", "/blueprints").json()["blueprints"]
        assert {one["name"] for one in blueprints} == {name for name, in instance.rows("select name from _devlake_blueprints")}
    finally:
        server.stop()
    assert instance.status() == "done"


def test_force_migration(old):
    _, instance = old
    env = [line for line in instance.env_file.read_text().splitlines() if not line.startswith("FORCE_MIGRATION")]
    instance.env_file.write_text("\n".join([*env, "FORCE_MIGRATION=true"]) + "\n")
    server = Served(instance.tarn)
    try:
        until_ready(server)
        assert server.call("GET", "/blueprints").json()["count"] == 2
    finally:
        server.stop()
    assert instance.status() == "done"


def test_port_answers_all_the_time(program, mariadb, tmp_path):  # noqa: F811
    """The page that asks for consent goes to the front page as soon as it has the answer, probes never stop."""
    release = Release(RELEASES[-1])
    instance = install(program, tmp_path / "instance", mariadb, release, "consent_port")
    server = Served(instance.tarn)
    failed, stop = [], threading.Event()

    def probe():
        while not stop.wait(0.01):
            try:
                if requests.get(server.url + "/ping", timeout=10).status_code != 200:
                    failed.append("another status")
            except requests.RequestException as error:
                failed.append(type(error).__name__)

    prober = threading.Thread(target=probe)
    prober.start()
    try:
        assert server.call("GET", "/proceed-db-migration").status_code == 200
        until_ready(server)
    finally:
        stop.set()
        prober.join()
        server.stop()
        instance.remove()
    assert not failed, f"{len(failed)} probes failed: {failed[:3]}"


def test_progress_is_seen(program, mariadb, tmp_path):  # noqa: F811
    """While the upgrade runs: alive, not ready, other routes say that it is under way."""
    release = Release(RELEASES[-1])
    instance = install(program, tmp_path / "instance", mariadb, release, "consent_progress")
    server = Served(instance.tarn)
    agreed = threading.Thread(target=lambda: server.call("GET", "/proceed-db-migration"))
    agreed.start()
    seen, progress = set(), set()
    try:
        while agreed.is_alive():
            with contextlib.suppress(requests.ConnectionError):
                answers = [server.call("GET", path) for path in ("/ping", "/ready", "/projects")]
                seen.add(tuple(answer.status_code for answer in answers) + (answers[1].json()["message"],))
                progress.add(((server.call("GET", "/upgrade").json()["data"]) or {}).get("progress"))
    finally:
        agreed.join()
        server.stop()
        instance.remove()
    assert any(one[:3] == (200, 503, 428) and "migrating" in one[3] for one in seen), seen
    assert len(progress - {None, ""}) > 1, progress


@pytest.mark.parametrize("forced", [False, True])
def test_wrong_key(program, mariadb, tmp_path, forced):  # noqa: F811
    """Told on the port, which stays open: a process that ends at once would be started again for ever."""
    release = Release(RELEASES[-1])
    env = release.env.replace(release.key, "another")
    instance = install(program, tmp_path / "instance", mariadb, release, "consent_key", f"{env}\nFORCE_MIGRATION={str(forced).lower()}\n")
    before = dump(mariadb, instance.database)
    server = Served(instance.tarn)
    try:
        ready = server.call("GET", "/ready")
        assert ready.status_code == 503 and "ENCRYPTION_SECRET" in ready.text
        refused = server.call("GET", "/proceed-db-migration")
        assert refused.status_code >= 400 and refused.json()["success"] is False and "ENCRYPTION_SECRET" in refused.text
        other = server.call("GET", "/projects")
        assert other.status_code == 428 and "ENCRYPTION_SECRET" in other.text
        assert server.call("GET", "/ping").status_code == 200
    finally:
        server.stop()
    assert not differences(before, dump(mariadb, instance.database))
    instance.remove()


def test_both_ways_end_alike(program, mariadb, tmp_path):  # noqa: F811
    """The command and the consent over HTTP."""
    release = Release(RELEASES[-1])
    states = []
    for way in ("command", "http"):
        instance = install(program, tmp_path / way, mariadb, release, f"consent_{way}")
        if way == "command":
            instance.apply()
            server = Served(instance.tarn)
        else:
            server = Served(instance.tarn)
            assert server.call("GET", "/proceed-db-migration").status_code == 200
            until_ready(server)
        server.stop()
        states.append(dump(mariadb, instance.database))
        instance.remove()
    found = end_states.state_differences(*states, release.key)
    assert not found, json.dumps(found, indent=1)
