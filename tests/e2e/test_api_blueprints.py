"""Blueprints: their plans, their times, and what they run."""

import time

import pytest

from api_fixtures import api  # noqa: F401
from conftest import FINAL


def add(api, **fields):
    return api.post("/blueprints", {"name": api.name("blueprint"), "mode": "NORMAL", "enable": True, "isManual": True, **fields}, 201)


@pytest.fixture(scope="module")
def scope(api):
    connection = api.connection()
    scope = api.scope(connection)
    return {"connection": connection["id"], "id": str(scope["githubId"])}


def chosen(scope):
    return [{"pluginName": "github", "connectionId": scope["connection"], "scopes": [{"scopeId": scope["id"]}]}]


def task(scope):
    return {"plugin": "github", "subtasks": ["Collect Milestones", "Extract Milestones"], "options": {"connectionId": scope["connection"], "name": "octo/alpha"}}


def wait(api, pipeline):
    for _ in range(900):
        found = api.get(f"/pipelines/{pipeline['id']}")
        if found["status"] in FINAL:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_a_plan_follows_the_declaration(api, scope):
    made = add(api, connections=chosen(scope), labels=["one", "two"])
    assert made["labels"] == ["one", "two"] and made["connections"] == chosen(scope)
    (stage,) = made["plan"]
    assert stage[0]["plugin"] == "github" and stage[0]["options"]["name"] == "octo/alpha"
    assert "Collect Issues" in stage[0]["subtasks"] and "Collect Commits" not in stage[0]["subtasks"]
    config = api.post(f"/plugins/github/connections/{scope['connection']}/scope-configs", {"name": api.name("config"), "entities": ["CICD"]}, 201)
    path = f"/plugins/github/connections/{scope['connection']}/scopes/{scope['id']}"
    api.patch(path, {"scopeConfigId": config["id"]})
    (stage,) = api.patch(f"/blueprints/{made['id']}", {"skipOnFail": True})["plan"]
    assert "Collect Issues" not in stage[0]["subtasks"] and "Collect Workflow Runs" in stage[0]["subtasks"]
    api.patch(path, {"scopeConfigId": 0})
    (stage,) = api.patch(f"/blueprints/{made['id']}", {"skipCollectors": True, "afterPlan": [[task(scope)]]})["plan"][:1]
    assert "Extract Issues" in stage[0]["subtasks"] and "Collect Issues" not in stage[0]["subtasks"]
    assert api.get(f"/blueprints/{made['id']}")["name"] == made["name"]
    assert "blueprint_id" in api.get("/pipelines?blueprint_id=x", 400)["message"]
    api.delete(f"/blueprints/{made['id']}")
    api.get(f"/blueprints/{made['id']}", 404)


def test_a_webhook_has_nothing_to_run(api):
    hook = api.post("/plugins/webhook/connections", {"name": api.name("hook")})
    made = add(api, connections=[{"pluginName": "webhook", "connectionId": hook["id"]}])
    assert made["plan"] == []
    assert "no task to run" in api.post(f"/blueprints/{made['id']}/trigger", {}, 400)["message"]


@pytest.mark.parametrize("fields, said", [
    ({"name": ""}, "name"), ({"mode": "SOMETIMES"}, "mode"), ({"projectName": "nobody"}, "nobody"), ({"isManual": False}, "cronConfig"),
    ({"isManual": False, "cronConfig": "61 * * * *"}, "minute"), ({"mode": "ADVANCED"}, "plan"), ({"mode": "ADVANCED", "plan": [5]}, "plan[0]"),
    ({"mode": "ADVANCED", "plan": [[{"plugin": "astrology"}]]}, "astrology"), ({"afterPlan": [[{"plugin": "alchemy"}]]}, "alchemy"),
    ({"mode": "ADVANCED", "plan": [[{"plugin": "github", "subtasks": ["Nothing"]}]]}, "Nothing"), ({"connections": {}}, "connections"),
    ({"connections": [{"pluginName": "slack", "connectionId": 1}]}, "slack"), ({"connections": [{"pluginName": "github", "connectionId": 999}]}, "999"),
    ({"connections": [{"pluginName": "github", "connectionId": 1, "scopes": []}]}, "no scopes"),
    ({"connections": [{"pluginName": "github", "connectionId": 1, "scopes": [{"scopeId": "999"}]}]}, "999"), ({"labels": [1]}, "labels"),
    ({"timeAfter": "soon"}, "timeAfter"), ({"priority": "x"}, "priority"),
])
def test_a_wrong_blueprint_is_refused(api, scope, fields, said):
    before = api.get("/blueprints")["count"]
    answer = api.post("/blueprints", {"name": "x", "mode": "NORMAL", "isManual": True, **fields}, 400)
    assert said in answer["message"]
    assert api.get("/blueprints")["count"] == before


def test_changes_merge(api):
    made = add(api, cronConfig="0 0 * * 1", isManual=False, timeAfter="2026-01-02T00:00:00Z", labels=["label of this"])
    assert made["nextRun"].endswith("T00:00:00.000+00:00")
    changed = api.patch(f"/blueprints/{made['id']}", {"enable": False, "timeAfter": None})
    assert (changed["enable"], changed["timeAfter"], changed["nextRun"], changed["labels"]) == (False, None, None, ["label of this"])
    assert api.patch(f"/blueprints/{made['id']}", {"cronConfig": "manual"})["isManual"] is True
    api.patch(f"/blueprints/{made['id']}", {"mode": "ADVANCED", "plan": [[]]}, 400)
    assert api.get("/blueprints?label=label%20of%20this")["count"] == 1
    assert "not enabled" in api.post(f"/blueprints/{made['id']}/trigger", {}, 400)["message"]
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/trigger")):
        api.call(method, "/blueprints/9999" + path, {}, 404)
    for query in ("type=NEVER", "enable=perhaps", "page=x"):
        api.get("/blueprints?" + query, 400)
    assert api.get("/blueprints?type=MANUAL")["count"] + api.get("/blueprints?isManual=false")["count"] == api.get("/blueprints")["count"]


def test_a_trigger_runs_the_plan(api, scope):
    made = add(api, mode="ADVANCED", plan=[[task(scope)]], labels=["run"], skipOnFail=True, priority=3)
    pipeline = api.post(f"/blueprints/{made['id']}/trigger", {"fullSync": True})
    assert (pipeline["name"], pipeline["blueprintId"], pipeline["labels"], pipeline["fullSync"]) == (made["name"], made["id"], ["run"], True)
    assert (pipeline["skipOnFail"], pipeline["priority"], pipeline["skipCollectors"]) == (True, 3, False)
    assert wait(api, pipeline)["status"] == "TASK_COMPLETED"
    found = api.get(f"/blueprints/{made['id']}/pipelines?pageSize=1")
    assert (found["count"], found["pipelines"][0]["id"]) == (1, pipeline["id"])
    assert api.get("/blueprints/9999/pipelines") == {"count": 0, "pipelines": []}
    assert api.get("/pipelines?label=run")["count"] == 1


def test_what_is_running_is_not_triggered_again(api, scope):
    made = add(api, mode="ADVANCED", plan=[[task(scope)]])
    api.fake.control("POST", "faults", {"match": "/milestones", "kind": "delay", "ms": 3000, "times": 1})
    pipeline = api.post(f"/blueprints/{made['id']}/trigger", {})
    assert "waiting or running" in api.post(f"/blueprints/{made['id']}/trigger", {}, 400)["message"]
    api.delete(f"/blueprints/{made['id']}", 400)
    api.fake.control("DELETE", "faults")
    wait(api, pipeline)


def test_cron_runs_blueprints(api, scope):
    made = add(api, mode="ADVANCED", plan=[[task(scope)]], isManual=False, cronConfig="@every 1s")
    for _ in range(150):
        if api.get(f"/blueprints/{made['id']}/pipelines")["count"] >= 2:
            break
        time.sleep(0.1)
    api.patch(f"/blueprints/{made['id']}", {"enable": False})
    time.sleep(1.5)
    count = api.get(f"/blueprints/{made['id']}/pipelines")["count"]
    assert count >= 2
    time.sleep(2)
    assert api.get(f"/blueprints/{made['id']}/pipelines")["count"] == count
