"""Pipelines: stages, failures, cancel, rerun, subtasks, logs, notifications, and three scopes killed at random (`ROUNDS`, `SEED`)."""

import hashlib
import http.server
import io
import json
import os
import random
import signal
import tarfile
import threading
import time

import pytest

import github
from conftest import FINAL, SIZES, Served, Tarn
from contract import Contract
from rows import Rows, differences

ROUNDS = max(int(os.environ.get("ROUNDS", "50")) // 3, 2)  # of up to three kills each
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
SECRET = "planted-notification-secret"


@pytest.fixture
def run(served, fake):
    """The server's contract, with a connection and a scope."""
    connection = served.add_connection(fake.url)["id"]
    served.add_repo(connection)
    contract = Contract(served.url)
    contract.connection, contract.fake, contract.wait = connection, fake, served.wait
    return contract


def task(run, *subtasks, name="octo/alpha"):
    return {"plugin": "github", "subtasks": list(subtasks), "options": {"connectionId": run.connection, "name": name}}


def milestones(run):
    return task(run, "Collect Milestones", "Extract Milestones")


BROKEN = {"plugin": "no-such-plugin", "options": {}}


def create(run, plan, **fields):
    return run.post("/pipelines", {"name": "x", "plan": plan, **fields}, 201)["id"]


def tasks(run, pipeline):
    return {(item["pipelineRow"], item["pipelineCol"]): item for item in run.get(f"/pipelines/{pipeline}/tasks")["tasks"]}


@pytest.mark.parametrize("skips, status, second", [(False, "TASK_FAILED", "TASK_CREATED"), (True, "TASK_PARTIAL", "TASK_COMPLETED")])
def test_a_failed_stage_is_the_last_unless_failures_are_skipped(run, skips, status, second):
    pipeline = create(run, [[milestones(run), BROKEN], [milestones(run)]], skipOnFail=skips)
    found = run.wait(pipeline)
    assert (found["status"], found["stage"], found["totalTasks"]) == (status, 2 if skips else 1, 3)
    assert ("no-such-plugin" in found["message"]) is not skips
    assert {place: item["status"] for place, item in tasks(run, pipeline).items()} == {
        (1, 1): "TASK_COMPLETED", (1, 2): "TASK_FAILED", (2, 1): second}
    again = run.post(f"/pipelines/{pipeline}/rerun", {})
    assert [item["status"] for item in again] == ["TASK_RERUN"] * (1 if skips else 2)
    assert run.wait(pipeline)["status"] == status


def test_a_rerun_repeats_what_failed(run):
    run.fake.control("POST", "faults", {"match": "/milestones", "kind": "status", "status": 403, "body": "{}", "times": -1})
    pipeline = create(run, [[milestones(run)]])
    assert run.wait(pipeline)["status"] == "TASK_FAILED"
    run.fake.control("DELETE", "faults")
    old = tasks(run, pipeline)[1, 1]
    (made,) = run.post(f"/pipelines/{pipeline}/rerun", {})
    assert made["id"] > old["id"] and made["beganAt"] is None
    found = run.wait(pipeline)
    assert (found["status"], found["finishedTasks"], found["totalTasks"], found["message"]) == ("TASK_COMPLETED", 1, 1, "")
    assert "re-ran" in run.post(f"/pipelines/{pipeline}/rerun", {}, 400)["message"]
    assert run.post(f"/tasks/{made['id']}/rerun", {})["status"] == "TASK_RERUN"
    assert run.wait(pipeline)["status"] == "TASK_COMPLETED"
    run.post("/pipelines/99/rerun", {}, 404)
    run.post("/tasks/99/rerun", {}, 404)


def test_cancel_comes_through_in_the_middle_of_a_request(run):
    run.fake.control("POST", "faults", {"match": "/milestones", "kind": "delay", "ms": 15000, "times": 1})
    pipeline = create(run, [[milestones(run)], [milestones(run)]])
    while (detail := tasks(run, pipeline)[1, 1]["progressDetail"]) is None:
        time.sleep(0.05)
    assert detail["totalSubTasks"] == 2 and detail["totalRecords"] == -1
    assert "running" in run.post(f"/pipelines/{pipeline}/rerun", {}, 400)["message"]
    began = time.monotonic()
    run.delete(f"/pipelines/{pipeline}")
    assert run.wait(pipeline)["status"] == "TASK_CANCELLED"
    assert time.monotonic() - began < 10
    assert {item["status"] for item in tasks(run, pipeline).values()} == {"TASK_CANCELLED"}
    assert len(run.post(f"/pipelines/{pipeline}/rerun", {})) == 2
    assert run.wait(pipeline, 120)["status"] == "TASK_COMPLETED"


def test_subtasks_and_logs_tell_what_was_done(run):
    pipeline = create(run, [[milestones(run)]])
    run.wait(pipeline)
    found = run.get(f"/pipelines/{pipeline}/subtasks")
    assert (found["completionRate"], found["status"], found["count"]) == (1, "TASK_COMPLETED", 1)
    details = found["subtasks"][0]["subtaskDetails"]
    assert [(item["name"], item["isCollector"], item["sequence"]) for item in details] == [
        ("Collect Milestones", True, 1), ("Extract Milestones", False, 1)]
    assert details[0]["finishedRecords"] == SIZES["milestones"] and all(item["finishedAt"] for item in details)
    assert run.get("/pipelines/99/subtasks") == {"subtasks": None, "completionRate": 1, "status": "", "count": 0}
    answer = run.call("GET", f"/pipelines/{pipeline}/logging.tar.gz", status=200)
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as logs:
        texts = {name: logs.extractfile(name).read().decode() for name in logs.getnames()}
    assert set(texts) == {"pipeline.log", f"task-{found['subtasks'][0]['id']}-1-1-github.log"}
    assert "TASK_COMPLETED" in texts["pipeline.log"]
    run.call("GET", "/pipelines/99/logging.tar.gz", status=404)


def test_notifications_are_signed(tarn):
    got = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    tarn.environment |= {"NOTIFICATION_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}/hook", "NOTIFICATION_SECRET": SECRET}
    server = Served(tarn)
    try:
        made = server.call("POST", "/pipelines", {"name": "x", "plan": [[BROKEN]]}).json()["id"]
        server.wait(made)
        for _ in range(100):
            if len(got) == 3:
                break
            time.sleep(0.1)
    finally:
        server.stop()
        receiver.shutdown()
    assert [json.loads(body)["Status"] for _, body in got] == ["TASK_CREATED", "TASK_RUNNING", "TASK_FAILED"]
    for path, body in got:
        nonce = path.split("nouce=")[1].split("&")[0]
        assert path.endswith("&sign=" + hashlib.sha256(body + SECRET.encode() + nonce.encode()).hexdigest())
        assert list(json.loads(body)) == ["ProjectName", "PipelineID", "CreatedAt", "UpdatedAt", "BeganAt", "FinishedAt", "Status"]


# ---- three scopes, killed

REPOS = ["octo/alpha", "octo/beta", "octo/gamma"]


def begin(server, fake):
    connection = server.add_connection(fake.url)["id"]
    ids = [str(server.add_repo(connection, name)["githubId"]) for name in REPOS]
    # The fake has no git repository to read beside.
    server.call("PUT", f"/plugins/github/connections/{connection}/scopes",
                {"data": [{"githubId": int(ids[0]), "name": "alpha", "fullName": REPOS[0], "cloneUrl": ""}]}).raise_for_status()
    wanted = [{"pluginName": "github", "connectionId": connection, "scopes": [{"scopeId": ids[0]}]}]
    made = server.call("POST", "/blueprints", {
        "name": "three", "mode": "NORMAL", "enable": True, "isManual": True, "connections": wanted,
        "afterPlan": [[{"plugin": "github", "options": {"connectionId": connection, "name": name}} for name in REPOS[1:]]]})
    assert made.status_code == 201, made.text
    return server.call("POST", f"/blueprints/{made.json()['id']}/trigger", {}).json()["id"]


def test_three_scopes_killed_at_random_end_as_if_undisturbed(program, tmp_path):
    choice = random.Random(SEED)
    with github.start(**{**SIZES, "repos": ",".join(REPOS)}) as fake:
        calm = Tarn(program, tmp_path / "calm" / "home")
        calm.home.parent.mkdir()
        server = Served(calm)
        began = time.monotonic()
        assert server.wait(begin(server, fake))["status"] == "TASK_COMPLETED"
        length = time.monotonic() - began
        server.stop()
        want = Rows(calm).comparable()
        for number in range(ROUNDS):
            tarn = Tarn(program, tmp_path / f"round{number}" / "home")
            tarn.home.parent.mkdir()
            server = Served(tarn)
            pipeline = begin(server, fake)
            for _ in range(choice.randint(1, 3)):
                time.sleep(choice.uniform(0.02, length))
                server.stop(signal.SIGKILL)
                server = Served(tarn)
            found = server.wait(pipeline)
            server.stop()
            assert found["status"] == "TASK_COMPLETED", f"SEED={SEED}, round {number}: {found}"
            wrong = differences(Rows(tarn).comparable(), want)
            assert not wrong, f"SEED={SEED}, round {number}\n" + "\n".join(wrong)
