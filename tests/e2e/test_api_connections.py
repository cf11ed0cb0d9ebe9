"""Connections over HTTP: shapes, statuses, secrets."""

import pytest

import control_rows
from api_fixtures import api  # noqa: F401
from conftest import TOKEN

ALL = "/plugins/github/connections"


def test_add_get_list_and_delete(api):
    made = api.connection()
    assert made["token"] == "te******en" and made["authMethod"] == "AccessToken"
    assert api.get(f"{ALL}/{made['id']}") == made
    assert made in api.get(ALL)
    assert api.delete(f"{ALL}/{made['id']}") == made
    api.get(f"{ALL}/{made['id']}", 404)
    api.delete(f"{ALL}/{made['id']}", 404)


def test_every_route_answers_with_a_trailing_slash_below_api_and_by_alias(api):
    made = api.connection()
    for path in (f"{ALL}/{made['id']}/", f"/api{ALL}/{made['id']}", f"/api{ALL}/{made['id']}//"):
        assert api.get(path) == made
    assert api.get(f"/plugins/github_graphql/connections/{made['id']}") == made


def test_a_patch_keeps_what_it_does_not_name_and_masked_secrets(api):
    made = api.connection()
    path = f"{ALL}/{made['id']}"
    changed = api.patch(path, {"name": api.name("renamed"), "token": made["token"], "rateLimitPerHour": "500"})
    assert changed["name"].startswith("renamed") and changed["rateLimitPerHour"] == 500
    assert changed["endpoint"] == made["endpoint"] and changed["createdAt"] == made["createdAt"]
    # The stored token still opens the source.
    assert api.post(path + "/test", {})["success"] is True
    api.patch(path, {"token": "another-token"})
    tested = api.post(path + "/test", {})
    assert tested["success"] is False and "401" in tested["message"]
    assert api.patch(path, {})["token"] == "an*********en"


def test_a_name_stands_for_one_connection(api):
    first, second = api.connection(), api.connection()
    body = {"name": first["name"], "endpoint": api.fake.url, "token": TOKEN}
    assert first["name"] in api.post(ALL, body, 400)["message"]
    api.patch(f"{ALL}/{second['id']}", {"name": first["name"]}, 400)
    assert api.get(f"{ALL}/{second['id']}") == second


def test_a_connection_is_tested_before_and_after_it_is_saved(api):
    body = {"endpoint": api.fake.url, "token": TOKEN}
    answer = api.post("/plugins/github/test", body)
    assert answer["success"] is True and answer["login"]
    assert "401" in api.post("/plugins/github/test", body | {"token": "wrong"}, 400)["message"]
    made = api.connection()
    path = f"{ALL}/{made['id']}/test"
    assert api.call("POST", path, status=200).json()["message"] == "success"
    assert api.post(path, {"token": "wrong"})["success"] is False
    # The test's fields are not kept.
    assert api.get(f"{ALL}/{made['id']}") == made
    api.post(f"{ALL}/9999/test", {}, 404)
    message = api.post("/plugins/github/test", body | {"endpoint": "http://127.0.0.1:9/"}, 400)["message"]
    assert "127.0.0.1" in message


def test_a_connection_in_use_stays(api):
    made = api.connection()
    scope = api.scope(made)
    path = f"{ALL}/{made['id']}"
    answer = api.delete(path, 409)
    assert "scope" in answer["message"] and answer["data"] is None
    try:
        control_rows.add_blueprint(api.tarn, "daily", "alpha", connections=[("github", made["id"])])
        control_rows.add_blueprint(api.tarn, "by alias", "", connections=[("github_graphql", made["id"])])
        control_rows.add_blueprint(api.tarn, "advanced", "beta", mode="ADVANCED", connections=[("github", made["id"])])
        control_rows.add_blueprint(api.tarn, "another plugin's", "gamma", connections=[("gitlab", made["id"])])
        assert api.delete(path, 409)["data"] == {"blueprints": ["daily", "by alias"], "projects": ["alpha"]}
    finally:
        control_rows.drop_blueprints(api.tarn)
    api.delete(f"{path}/scopes/{scope['githubId']}")
    config = api.post(f"{path}/scope-configs", {"name": api.name("config")}, 201)
    api.delete(path)
    other = api.connection()
    api.get(f"{ALL}/{other['id']}/scope-configs/{config['id']}", 404)


def test_a_running_pipeline_stops_deletes(api):
    made = api.connection()
    scope = api.scope(made)
    api.fake.control("POST", "faults", {"match": "/issues", "kind": "delay", "ms": 1500, "times": -1})
    body = {"plan": [[{"plugin": "github", "options": {"connectionId": made["id"], "name": "octo/alpha"}}]]}
    pipeline = api.post("/pipelines", body, 201)["id"]
    try:
        while api.get(f"/pipelines/{pipeline}")["status"] != "TASK_RUNNING":
            pass
        other = api.connection()
        assert "pipeline is running" in api.delete(f"{ALL}/{other['id']}", 409)["message"]
        assert api.get(f"{ALL}/{other['id']}") == other
        api.delete(f"{ALL}/{made['id']}/scopes/{scope['githubId']}", 409)
        api.delete(f"{ALL}/{made['id']}/scopes/{scope['githubId']}?delete_data_only=true", 409)
    finally:
        api.fake.control("DELETE", "faults")
        api.delete(f"/pipelines/{pipeline}")
        api.server.wait(pipeline)


def test_no_secret_is_in_any_answer(api):
    planted = "ghp_PLANTEDsecret0123456789planted"
    made = api.connection(token=planted)
    path = f"{ALL}/{made['id']}"
    seen = [api.call("GET", path).text, api.call("GET", ALL).text, api.call("PATCH", path, {"proxy": ""}).text,
            api.call("POST", path + "/test", {}).text, api.call("GET", path + "/remote-scopes").text,
            api.call("GET", path + "/proxy/rest/user").text,
            api.call("PUT", path + "/scopes", {"data": [{"fullName": "octo/alpha"}]}).text, api.call("DELETE", path).text]
    assert not [text for text in seen if "PLANTED" in text]


@pytest.mark.parametrize("path", [ALL + "/9999", ALL + "/9999/scopes", "/plugins/none/connections", "/plugins/none/connections/1"])
def test_what_is_not_there_is_404(api, path):
    assert api.get(path, 404)["success"] is False
