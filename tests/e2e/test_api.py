"""`tarn serve`: probes, connections, scopes, pipelines, queries."""

import signal
import socket
import time

import pytest
import requests

from conftest import SIZES, TOKEN, Served


def test_probes(served):
    for prefix in ("", "/api"):
        assert served.call("GET", prefix + "/ping").text == ""
        assert served.call("GET", prefix + "/ready").json()["message"] == "ready"
        health = served.call("GET", prefix + "/health")
        assert health.status_code == 200
        assert health.json() == {"code": 0, "success": True, "message": "good", "causes": None, "data": None}
        assert served.call("GET", prefix + "/version").json()["version"].count(".") == 2


def test_health_tells_which_connectors_were_left_out(tarn, tmp_path):
    folder = tmp_path / "more" / "broken"
    folder.mkdir(parents=True)
    (folder / "connector.yaml").write_text("name: broken\ncolour: red\n")
    tarn.environment["CONNECTORS_PATH"] = str(folder.parent)
    server = Served(tarn)
    try:
        problems = server.call("GET", "/health").json()["data"]["problems"]
        assert len(problems) == 1 and "colour" in problems[0]
    finally:
        _, log = server.stop()
    assert "colour" in log


# ---- connections

def test_a_connection_is_kept_with_its_secret_masked(served, fake):
    made = served.add_connection(fake.url)
    assert made["id"] == 1
    assert made["token"] == "te******en"
    assert made["authMethod"] == "AccessToken" and made["enableGraphql"] is True
    assert made["createdAt"].endswith("+00:00")
    assert served.call("GET", "/plugins/github/connections").json() == [made]
    assert served.call("GET", "/plugins/github/connections/1").json() == made
    # A plan may name the connector by DevLake's other name for it.
    assert served.call("GET", "/plugins/github_graphql/connections/1").json() == made


@pytest.mark.parametrize("fields, said", [
    ({"colour": "red"}, "colour"),
    ({"endpoint": "ftp://example.com"}, "endpoint"),
    ({"endpoint": 5}, "endpoint"),
    ({"rateLimitPerHour": "many"}, "rateLimitPerHour"),
    ({"enableGraphql": "perhaps"}, "enableGraphql"),
    ({"authMethod": "Magic"}, "authMethod"),
    ({"authMethod": "AppKey"}, "appId"),
    ({"token": ""}, "token"),
    ({"token": {"a": 1}}, "token"),
    ({"name": ""}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"name": "a\r\nb"}, "name"),
])
def test_a_wrong_connection_is_refused_by_the_fields_name(served, fields, said):
    body = {"name": "fake", "endpoint": "https://api.github.com/", "token": TOKEN, **fields}
    answer = served.call("POST", "/plugins/github/connections", body)
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert said in answer.json()["message"]
    assert served.call("GET", "/plugins/github/connections").json() == []


def test_a_name_stands_for_one_connection(served, fake):
    served.add_connection(fake.url)
    answer = served.call("POST", "/plugins/github/connections", {"name": "fake", "endpoint": fake.url, "token": TOKEN})
    assert answer.status_code == 400
    assert "fake" in answer.json()["message"]


def test_a_connection_can_be_tested(served, fake):
    body = {"endpoint": fake.url, "token": TOKEN, "authMethod": "AccessToken"}
    answer = served.call("POST", "/plugins/github/test", body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True and answer.json()["login"]
    answer = served.call("POST", "/plugins/github/test", body | {"token": "wrong"})
    assert answer.status_code == 400
    assert "401" in answer.json()["message"]
    made = served.add_connection(fake.url)
    assert served.call("POST", f"/plugins/github/connections/{made['id']}/test").json()["success"] is True


# ---- scopes

def test_a_scope_is_completed_from_the_source(served, fake):
    connection = served.add_connection(fake.url)["id"]
    scope = served.add_repo(connection)
    assert scope["fullName"] == "octo/alpha" and scope["githubId"] > 0 and scope["connectionId"] == connection
    assert scope["_raw_data_params"] == '{"ConnectionId":1,"Name":"octo/alpha"}'
    assert scope["_raw_data_table"] == "_raw_github_scopes"
    listed = served.call("GET", f"/plugins/github/connections/{connection}/scopes").json()
    assert listed == {"count": 1, "scopes": [{"scope": scope}]}


def test_a_whole_scope_needs_no_source(served):
    connection = served.add_connection("http://127.0.0.1:9/")["id"]
    body = {"data": [{"githubId": 7, "fullName": "a/b", "name": "b", "description": "first"}]}
    answer = served.call("PUT", f"/plugins/github/connections/{connection}/scopes", body)
    assert answer.status_code == 200, answer.text
    body["data"][0] = {"githubId": 7, "fullName": "a/b", "HTMLUrl": "https://a/b"}
    scope = served.call("PUT", f"/plugins/github/connections/{connection}/scopes", body).json()[0]
    assert (scope["description"], scope["HTMLUrl"]) == ("first", "https://a/b")
    assert served.call("GET", f"/plugins/github/connections/{connection}/scopes").json()["count"] == 1


def test_wrong_scopes(served, fake):
    connection = served.add_connection(fake.url)["id"]
    path = f"/plugins/github/connections/{connection}/scopes"
    assert served.call("PUT", path, {"data": []}).json() == []
    for body in ({}, {"data": 5}, {"data": [5]}, {"data": [{"githubId": "x"}]}):
        assert served.call("PUT", path, body).status_code == 400, body
    answer = served.call("PUT", path, {"data": [{"fullName": "octo/missing"}]})
    assert answer.status_code == 400
    assert "404" in answer.json()["message"]


# ---- pipelines

def test_a_pipeline_runs_to_its_end(served, fake, tarn):
    connection = served.add_connection(fake.url)["id"]
    scope = served.add_repo(connection)
    pipeline = served.run_pipeline({"connectionId": connection, "githubId": scope["githubId"], "name": "octo/alpha"})
    assert pipeline["status"] == "TASK_COMPLETED", pipeline
    assert (pipeline["finishedTasks"], pipeline["totalTasks"], pipeline["stage"]) == (1, 1, 1)
    assert pipeline["beganAt"] and pipeline["finishedAt"] and pipeline["message"] == ""
    tasks = served.call("GET", f"/pipelines/{pipeline['id']}/tasks").json()
    assert tasks["count"] == 1
    task = tasks["tasks"][0]
    assert (task["status"], task["plugin"], task["progress"]) == ("TASK_COMPLETED", "github", 1)
    assert task["options"]["name"] == "octo/alpha"
    assert served.call("GET", "/pipelines").json()["count"] == 1
    assert tarn.value("select count(*) from issues") == SIZES["issues"]


def test_a_pipeline_with_subtasks_runs_only_these(served, fake, tarn):
    connection = served.add_connection(fake.url)["id"]
    served.add_repo(connection)
    pipeline = served.run_pipeline({"connectionId": connection, "name": "octo/alpha"}, subtasks=["Collect Milestones", "Extract Milestones"])
    assert pipeline["status"] == "TASK_COMPLETED", pipeline
    assert tarn.value("select count(*) from _tool_github_milestones") == SIZES["milestones"]
    assert tarn.value("select count(*) from _raw_github_api_issues") == 0


def test_a_failing_pipeline_says_why_and_where(served, fake):
    connection = served.add_connection(fake.url)["id"]
    served.add_repo(connection)
    fake.control("POST", "faults", {"match": "/milestones", "kind": "status", "status": 403, "body": "{}", "times": -1})
    pipeline = served.run_pipeline({"connectionId": connection, "name": "octo/alpha"})
    assert pipeline["status"] == "TASK_FAILED"
    assert "403" in pipeline["message"]
    task = served.call("GET", f"/pipelines/{pipeline['id']}/tasks").json()["tasks"][0]
    assert (task["status"], task["failedSubTask"]) == ("TASK_FAILED", "Collect Milestones")


@pytest.mark.parametrize("task, said", [
    ({"plugin": "no-such-plugin", "options": {}}, "no-such-plugin"),
    ({"plugin": "github", "options": {"connectionId": 77, "name": "a/b"}}, "77"),
    ({"plugin": "github", "options": {"connectionId": 1, "name": "octo/alpha"}, "subtasks": ["Nothing"]}, "Nothing"),
])
def test_what_a_task_cannot_do_fails_the_pipeline(served, fake, task, said):
    connection = served.add_connection(fake.url)["id"]
    served.add_repo(connection)
    made = served.call("POST", "/pipelines", {"name": "x", "plan": [[task]]}).json()
    pipeline = served.wait(made["id"])
    assert pipeline["status"] == "TASK_FAILED"
    assert said in pipeline["message"]


@pytest.mark.parametrize("body, said", [
    ({"name": "x", "plan": []}, "no task to run"),
    ({"name": "x"}, "no task to run"),
    ({"name": "x", "plan": {}}, "plan"),
    ({"name": "x", "plan": [[{"options": {}}]]}, "plan[0][0]"),
    ({"name": "x", "plan": [[{"plugin": "github", "options": [], "subtasks": []}]]}, "options"),
    ({"name": "x", "plan": [[{"plugin": "github", "subtasks": [1]}]]}, "subtasks"),
    ([], "object"),
])
def test_a_wrong_plan_is_refused(served, body, said):
    answer = served.call("POST", "/pipelines", body)
    assert answer.status_code == 400
    assert said in answer.json()["message"]


def test_a_pipeline_can_be_cancelled(served, fake):
    connection = served.add_connection(fake.url)["id"]
    served.add_repo(connection)
    fake.control("POST", "faults", {"match": "/issues", "kind": "delay", "ms": 2000, "times": -1})
    body = {"name": "x", "plan": [[{"plugin": "github", "options": {"connectionId": connection, "name": "octo/alpha"}}]]}
    made = served.call("POST", "/pipelines", body).json()["id"]
    queued = served.call("POST", "/pipelines", body).json()["id"]
    while served.call("GET", f"/pipelines/{made}").json()["status"] != "TASK_RUNNING":
        time.sleep(0.05)
    for pipeline in (queued, made):
        assert served.call("DELETE", f"/pipelines/{pipeline}").status_code == 200
        assert served.wait(pipeline)["status"] == "TASK_CANCELLED"
    assert served.call("DELETE", "/pipelines/99").status_code == 400


def test_a_stopped_server_goes_on_with_its_pipeline(tarn, fake):
    server = Served(tarn)
    connection = server.add_connection(fake.url)["id"]
    server.add_repo(connection)
    fake.control("POST", "faults", {"match": "/issues", "kind": "delay", "ms": 1000, "times": -1})
    body = {"name": "x", "plan": [[{"plugin": "github", "options": {"connectionId": connection, "name": "octo/alpha"}}]]}
    made = server.call("POST", "/pipelines", body).json()["id"]
    while server.call("GET", f"/pipelines/{made}").json()["status"] != "TASK_RUNNING":
        time.sleep(0.05)
    status, log = server.stop()
    assert status == 0, log
    fake.control("DELETE", "faults")
    server = Served(tarn)
    try:
        assert server.wait(made)["status"] == "TASK_COMPLETED"
    finally:
        server.stop()


# ---- the frame

def test_errors_come_in_the_envelope(served):
    answer = served.call("POST", "/pipelines", data="{\"name\": ", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "success", "message", "causes", "data"}
    assert "line 1, column" in answer.json()["message"]
    for path in ("/no-such-path", "/pipelines/99", "/plugins/github/connections/99", "/plugins/no-such-plugin/connections"):
        answer = served.call("GET", path)
        assert (answer.status_code, answer.json()["success"]) == (404, False), path
    assert served.call("GET", "/pipelines/x").status_code == 400
    assert served.call("GET", "/pipelines?page=x").status_code == 400


def test_queries_are_answered_on_this_machine_only(served):
    answer = served.call("POST", "/api/tarn/query", {"sql": "select 1 as one, 'x' as letter"})
    assert answer.json() == {"columns": [{"name": "one", "type": "INTEGER"}, {"name": "letter", "type": "VARCHAR"}], "rows": [[1, "x"]]}
    assert served.call("POST", "/api/tarn/query", {"sql": "delete from issues"}).status_code == 400
    assert served.call("POST", "/api/tarn/query", {"sql": "select * from read_text('/etc/hostname')"}).status_code != 200
    assert served.call("POST", "/api/tarn/query", {}).status_code == 400
    # A name of a page's own that points to this machine.
    answer = served.call("POST", "/api/tarn/query", {"sql": "select 1"}, headers={"Host": "evil.example"})
    assert answer.status_code == 403


def test_the_server_stops_cleanly(tarn):
    for sent in (signal.SIGTERM, signal.SIGINT):
        server = Served(tarn)
        assert "Next: add a connection" in server.process.stdout.readline()
        status, log = server.stop(sent)
        assert status == 0, log
        with pytest.raises(requests.ConnectionError):
            server.call("GET", "/ping")


def test_a_taken_port_is_told(tarn):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = tarn.run("serve", "--port", port)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
