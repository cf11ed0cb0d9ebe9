"""Plugins, store, push, repositories, API keys, sign-in, the API's own description."""

import hashlib
import hmac
import json
import re
from urllib.parse import urljoin

import pytest

import control_rows
from api_fixtures import api  # noqa: F401
from conftest import ROOT
from contract import problems

ON_SERVERS = True


def test_plugins_are_listed(api):
    plugins = api.get("/plugins")
    assert {"github", "github_graphql", "webhook"} <= {entry["plugin"] for entry in plugins}
    assert plugins[0]["metric"] == {"requiredDataEntities": None, "runAfter": None, "isProjectMetric": False}
    metrics = {folder.name for folder in (ROOT / "metrics").iterdir()}
    for entry in plugins:
        api.get(f"/plugins/{entry['plugin']}/connections", 404 if entry["plugin"] in metrics else 200)


def test_plugininfo_has_tables_and_subtasks(api):
    info = api.get("/plugininfo")
    issues = next(table for table in info["DomainInfos"] if table["table_name"] == "issues")
    assert {"name": "IssueKey", "tags": "", "db_name": "issue_key", "data_type": "string", "gorm_data_type": "string"} in issues["field"]
    assert not [table for table in info["DomainInfos"] if table["table_name"].startswith("_")]
    github = next(plugin for plugin in info["PluginInfos"] if plugin["name"] == "github")
    assert github["task_mata"][0]["name"] and "_tool_github_issues" in [table["table_name"] for table in github["tables"]]


@pytest.mark.parametrize("value", [{"done": True, "step": 1, "records": []}, [1, 2.5], "text", 5, True, None, {"deep": {"a": [{"b": None}]}}])
def test_the_store_keeps_any_value(api, value):
    assert api.get("/store/none") is None
    for _ in range(2):
        answer = api.call("PUT", "/store/onboard", data=json.dumps(value), status=201)
        assert answer.json() == value
    assert api.get("/store/onboard") == value == api.get("/api/store/onboard")


def test_store_keys_may_hold_anything(api):
    for key in ("a%2Fb", "it%27s", "x%22%3B%20drop", "%C3%A4", "a+b", "..%2F..%2Fetc"):
        api.put(f"/store/{key}", {"key": key}, 201)
    for key in ("a%2Fb", "it%27s", "x%22%3B%20drop", "%C3%A4", "a+b", "..%2F..%2Fetc"):
        assert api.get(f"/store/{key}") == {"key": key}
    api.put("/store/" + "k" * 300, 1, 400)
    api.get("/store/" + "k" * 300, 400)
    api.call("PUT", "/store/empty", status=400)
    assert api.get("/store/empty") is None


def test_rows_are_pushed_as_they_are(api):
    rows = [{"id": "pushed:1", "name": "one", "created_date": "2026-01-02T03:04:05Z"}, {"id": "pushed:2", "deleted": True}]
    assert api.post("/push/repos", rows) == {"rowsAffected": 1}
    assert api.rows("select id, name, deleted from repos where id like 'pushed:%' order by id") == [
        {"id": "pushed:1", "name": "one", "deleted": None}, {"id": "pushed:2", "name": None, "deleted": True}]
    repos = api.get("/domainlayer/repos")
    assert repos["count"] == len(repos["repos"]) >= 2
    one = next(repo for repo in repos["repos"] if repo["id"] == "pushed:1")
    assert one["created_date"].startswith("2026-01-02T03:04:05") and one["updatedAt"] and one["deleted"] is False


@pytest.mark.parametrize("table, body, status", [
    ("repos", {}, 400), ("repos", [], 400), ("repos", [5], 400), ("repos", [{}], 400), ("repos", [{"colour": 1}], 400),
    ("repos", [{"name": "no id"}], 400), ("repos", [{"id": "x", "created_date": "soon"}], 400), ("repos", [{"id": "x" * 300}], 400),
    ("repos", [{"id": "twice"}, {"id": "twice"}], 400), ("none", [{"id": 1}], 400), ("re%20pos", [{"id": 1}], 400),
    ("repos%3B%20drop", [{"id": 1}], 400), ("..%2Frepos", [{"id": 1}], 400),
    ("_devlake_api_keys", [{"name": "k"}], 403), ("_tool_github_connections", [{"name": "c"}], 403), ("_tarn_gone", [{"params": "p"}], 403),
])
def test_rows_that_do_not_fit_are_refused(api, table, body, status):
    before = api.rows("select count(*) as n from repos")
    api.post(f"/push/{table}", body, status)
    assert api.rows("select count(*) as n from repos") == before


def test_a_key_that_is_there_is_not_pushed_again(api):
    api.post("/push/repos", [{"id": "once"}])
    assert "duplicate" in api.post("/push/repos", [{"id": "new one"}, {"id": "once"}], 400)["message"]
    assert api.rows("select id from repos where id = 'new one'") == []


# ---- API keys

def key_body(api, **fields):
    return {"name": api.name("key"), "type": "devlake", "allowedPath": ".*", "expiredAt": None, **fields}


def with_key(key):
    return {"headers": {"Authorization": f"Bearer {key}"}}


def test_a_key_is_made_shown_once_renewed_and_deleted(api):
    made = api.post("/api-keys", key_body(api, expiredAt="2099-01-01T00:00:00.000Z"), 201)
    key = made.pop("apiKey")
    assert len(key) == 128 and made["expiredAt"].startswith("2099-01-01") and made["type"] == "devlake"
    listed = api.get("/api-keys?page=1&pageSize=1")
    assert listed["apikeys"] == [made] and listed["count"] >= 1
    assert api.get("/rest/version", **with_key(key))
    renewed = api.put(f"/api-keys/{made['id']}")
    fresh = renewed.pop("apiKey")
    assert fresh != key and {**renewed, "updatedAt": ""} == {**made, "updatedAt": ""}
    api.get("/rest/version", 403, **with_key(key))
    api.get("/rest/version", **with_key(fresh))
    assert api.delete(f"/api-keys/{made['id']}")["success"] is True
    api.get("/rest/version", 403, **with_key(fresh))
    api.delete(f"/api-keys/{made['id']}", 404)
    api.call("PUT", f"/api-keys/{made['id']}", status=404)
    for wrong in ("x", "0", "-1"):
        api.delete(f"/api-keys/{wrong}", 400)
        api.call("PUT", f"/api-keys/{wrong}", status=400)


def test_keys_of_other_kinds_are_not_listed(api):
    api.post("/api-keys", key_body(api, type="other"), 201)
    assert {key["type"] for key in api.get("/api-keys")["apikeys"]} <= {"devlake"}
    api.get("/api-keys?page=x", 400)


@pytest.mark.parametrize("change, said", [
    ({"name": ""}, "name"), ({"name": 5}, "name"), ({"name": "n" * 256}, "name"), ({"type": None}, "type"), ({"type": "t" * 41}, "type"),
    ({"allowedPath": ""}, "allowedPath"), ({"allowedPath": "("}, "allowedPath"), ({"expiredAt": "tomorrow"}, "expiredAt"), ({"expiredAt": 5}, "expiredAt"),
])
def test_a_wrong_key_is_refused(api, change, said):
    before = api.get("/api-keys")["count"]
    assert said in api.post("/api-keys", key_body(api, **change), 400)["message"]
    assert api.get("/api-keys")["count"] == before


def test_the_digest_is_devlakes(api):
    made = api.post("/api-keys", key_body(api), 201)
    api.post("/api-keys", key_body(api, name=made["name"]), 400)
    digest = control_rows.run(api.tarn, "select api_key from _devlake_api_keys where id = ?", made["id"])[0][0]
    env = next(path for path in (api.tarn.home / ".env", api.tarn.home.parent / ".env") if path.exists())
    secret = re.search(r'^ENCRYPTION_SECRET="?([A-Z]+)', env.read_text(), re.MULTILINE)[1]
    assert digest == hmac.new(secret.encode(), made["apiKey"].encode(), hashlib.sha256).hexdigest()


def test_below_rest_a_key_is_needed_for_every_path(api):
    for path in ("/rest/version", "/api/rest/version", "/rest/no-such-path", "/rest", "/rest/"):
        assert "token is missing" in api.call("GET", path, status=401).json()["message"]
    for header in ("Basic eDp5", "Bearer", "Bearer ", "nonsense"):
        api.call("GET", "/rest/version", status=401, headers={"Authorization": header})
    api.call("GET", "/rest/version", status=403, headers={"Authorization": "Bearer nonsense"})
    expired = api.post("/api-keys", key_body(api, expiredAt="2020-01-01T00:00:00Z"), 201)["apiKey"]
    assert "expired" in api.call("GET", "/rest/version", status=403, **with_key(expired)).json()["message"]
    stores = api.post("/api-keys", key_body(api, allowedPath="store/a"), 201)["apiKey"]
    assert api.get("/rest/store/abc", **with_key(stores)) is None
    assert "scope" in api.call("GET", "/rest/version", status=403, **with_key(stores)).json()["message"]
    everything = api.post("/api-keys", key_body(api), 201)["apiKey"]
    api.call("GET", "/rest/no-such-path", status=404, **with_key(everything))
    assert api.put("/rest/store/x%2Fy", [1], 201, **with_key(everything)) == [1] == api.get("/store/x%2Fy")
    # A value cannot stand for the path that the key allows.
    narrow = api.post("/api-keys", key_body(api, allowedPath="/plugins/webhook/connections/1/.*"), 201)["apiKey"]
    for path in ("/rest/store/plugins%2Fwebhook%2Fconnections%2F1%2Fx", "/rest/plugins/github/connections/1/proxy/rest/plugins/webhook/connections/1/x",
                 "/rest/plugins/github/connections/1/scopes/plugins/webhook/connections/1/x"):
        api.call("GET", path, status=403, **with_key(narrow))


# ---- probes, sign-in, description

def test_probes_and_sign_in(api):
    for path in ("/ready", "/health", "/proceed-db-migration"):
        assert api.get(path)["success"] is True
    assert api.call("GET", "/ping", status=200).text == ""
    assert api.get("/version")["version"]
    assert api.get("/auth/methods") == {"apiKey": {"enabled": True}}
    assert api.get("/auth/userinfo") == {"authenticated": False, "name": "", "email": ""}
    assert api.post("/auth/logout") == {"ok": True}
    api.get("/auth/login", 503)


def test_the_document_describes_each_connector(api):
    document = api.get("/openapi.json")
    assert api.get("/swagger/doc.json") == document and document["openapi"].startswith("3.0")
    behind_proxy = api.get("/api/swagger/doc.json", headers={"Referer": "https://tarn.example/api/swagger/"})
    assert behind_proxy["servers"] == [{"url": "/api"}] and document["servers"] == [{"url": "/"}]
    body = document["components"]["schemas"]["GithubConnectionBody"]
    assert body["properties"]["token"]["format"] == "password" and "name" in body["required"]
    assert "{plugin}" not in "".join(document["paths"])
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
    for name in set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document))):
        assert name in document["components"]["schemas"], name
    for path, methods in document["paths"].items():
        for operation in methods.values():
            declared = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path)), path


def test_the_bare_address_leads_to_the_page(api):
    for path, to in (("/", "/swagger/"), ("/api", "/swagger/"), ("/api/", "/api/swagger/")):
        answer = api.call("GET", path, status=302, allow_redirects=False)
        assert urljoin(path, answer.headers["Location"]) == to


def test_the_page_needs_nothing_from_elsewhere(api):
    for path in ("/swagger/", "/swagger", "/swagger/index.html", "/api/swagger/"):
        answer = api.call("GET", path, status=200)
        assert answer.headers["Content-Type"].startswith("text/html")
        assert not re.search(r"""(src|href)=|https?://|@import""", answer.text)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_docs_say_what_the_routes_are(api):
    done = api.tarn.run("api", "--markdown")
    assert done.returncode == 0 and done.stdout == (ROOT / "docs" / "api.md").read_text(), "run: build/tarn api --markdown > docs/api.md"


def test_the_validator_sees_differences():
    schemas = {"A": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}
    a = {"$ref": "#/components/schemas/A"}
    assert problems({"n": 1}, a, schemas) == []
    for value in ({}, {"n": "1"}, {"n": True}, {"n": 1, "more": 2}, None, []):
        assert problems(value, a, schemas), value
    assert problems(None, {"nullable": True, "allOf": [a]}, schemas) == []
