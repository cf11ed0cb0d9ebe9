"""Whatever is sent: a 4xx with a message, nothing changed, and the server goes on."""

import socket

import pytest
import requests

import control_rows
from api_fixtures import api  # noqa: F401
from conftest import TOKEN

LONG = "n" * 300
TRICKS = ["' or 1=1 --", "1; drop table issues", "../../etc/passwd", "%00", "{{7*7}}", "${x}", "\u202e", "a\0b", "a\r\nSet-Cookie: x=1"]


@pytest.fixture(scope="module")
def paths(api):
    connection = api.connection()
    api.put(f"/plugins/github/connections/{connection['id']}/scopes", {"data": [{"fullName": "octo/alpha"}]})
    hook = api.post("/plugins/webhook/connections", {"name": "hook"})
    one = f"/plugins/github/connections/{connection['id']}"
    return [("POST", "/plugins/github/connections"), ("PATCH", one), ("POST", "/plugins/github/test"), ("POST", one + "/test"),
            ("PUT", one + "/scopes"), ("POST", one + "/scope-configs"), ("POST", "/plugins/webhook/connections"),
            ("PATCH", f"/plugins/webhook/connections/{hook['id']}"), ("POST", f"/plugins/webhook/connections/{hook['id']}/deployments"),
            ("POST", f"/plugins/webhook/connections/{hook['id']}/issues"), ("POST", f"/plugins/webhook/connections/{hook['id']}/pull_requests"),
            ("POST", "/api-keys"), ("POST", "/push/repos"), ("POST", "/pipelines"), ("POST", "/tarn/query")]


BODIES = {
    "broken": b'{"name": ', "not JSON": b"<xml/>", "bytes": b"\xff\xfe\x00", "half a text": b'"name', "list": b"[[]]", "text": b'"x"', "number": b"5",
    "null": b"null", "bare words": b"{name: 1}", "trailing": b'{"name": "x"} extra', "big number": b'{"name": 1e999}', "lone surrogate": b'{"name": "\\ud800"}',
    "deep": b"[" * 5000 + b"]" * 5000, "deep object": b'{"a":' * 5000 + b"1" + b"}" * 5000, "1 MB": b'{"name": "' + b"x" * 1_000_000 + b'"}',
}


@pytest.mark.parametrize("kind", BODIES)
def test_bodies_that_are_no_use(api, paths, kind):
    before = control_rows.everything(api.tarn)
    for method, path in paths:
        answer = api.call(method, path, data=BODIES[kind], headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        assert len(answer.text) < 2000
    assert control_rows.everything(api.tarn) == before


@pytest.mark.parametrize("value", [5, [], {}, True, LONG, "a\0b", 1.5, -1, 18446744073709551616])
def test_values_of_the_wrong_kind(api, paths, value):
    before = control_rows.everything(api.tarn)
    wrong = {name: value for name in ("name", "plan", "sql", "id", "issueKey", "pullRequestKey", "data", "type", "allowedPath", "deploymentCommits",
                                      "endpoint", "entities", "startedDate", "createdDate", "status")}
    for method, path in paths:
        if value == [] and path.endswith("/scopes"):
            continue  # no scopes: nothing is wrong with that
        answer = api.call(method, path, wrong if not path.startswith("/push") else [wrong])
        assert 400 <= answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
    assert control_rows.everything(api.tarn) == before


@pytest.mark.parametrize("trick", [LONG, *TRICKS])
def test_tricks_in_paths(api, trick):
    word = requests.utils.quote(trick, safe="")
    before = control_rows.everything(api.tarn)
    for path in (f"/plugins/{word}/connections", f"/plugins/github/connections/{word}", f"/plugins/github/connections/1/scopes/{word}",
                 f"/plugins/github/connections/1/scope-configs/{word}", f"/plugins/github/scope-config/{word}/projects",
                 f"/plugins/webhook/connections/{word}", f"/plugins/webhook/connections/by-name/{word}", f"/pipelines/{word}", f"/{word}",
                 f"/plugins/github/connections/{word}/remote-scopes"):
        answer = api.call("GET", path)
        assert 400 <= answer.status_code < 500, f"{path}: {answer.status_code} {answer.text[:300]}"
        assert "Set-Cookie" not in answer.headers
    for path in (f"/plugins/webhook/projects/{word}/deployments", f"/push/{word}", f"/plugins/webhook/connections/1/issue/{word}/close"):
        assert 400 <= api.call("POST", path, {}).status_code < 500, path
    assert 400 <= api.call("DELETE", f"/api-keys/{word}").status_code < 500
    assert control_rows.everything(api.tarn) == before


@pytest.mark.parametrize("trick", [trick for trick in TRICKS if "\r" not in trick and "\0" not in trick])
def test_tricks_in_names_are_only_names(api, trick):
    made = api.post("/plugins/github/connections", {"name": trick, "endpoint": api.fake.url, "token": TOKEN}, 201)
    assert api.get(f"/plugins/github/connections/{made['id']}")["name"] == trick
    assert api.get(f"/plugins/github/connections/{made['id']}/scopes", params={"searchTerm": trick}) == {"count": 0, "scopes": []}
    hook = api.post("/plugins/webhook/connections", {"name": trick})
    assert api.get("/plugins/webhook/connections/by-name/" + requests.utils.quote(trick, safe=""))["id"] == hook["id"]
    issue = {"issueKey": trick, "title": trick, "originalStatus": trick, "status": "TODO", "createdDate": "2026-01-01"}
    api.post(f"/plugins/webhook/connections/{hook['id']}/issues", issue)
    rows = api.rows(f"select issue_key, title from issues where id like 'webhook:{hook['id']}:%'")
    assert rows == [{"issue_key": trick, "title": trick}]
    api.post(f"/plugins/webhook/connections/{hook['id']}/issue/{requests.utils.quote(trick, safe='')}/close")
    api.delete(f"/plugins/webhook/connections/{hook['id']}")
    api.delete(f"/plugins/github/connections/{made['id']}")


def operations(api, filled):
    """Every declared operation, its path's values filled in by type."""
    for path, methods in api.document["paths"].items():
        for method, operation in methods.items():
            target = path
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    target = target.replace("{" + parameter["name"] + "}", filled[parameter["schema"]["type"]])
            if target != path:
                yield method.upper(), target, operation


def test_values_in_paths_that_cannot_be(api):
    for method, path, operation in operations(api, {"integer": "x", "string": LONG}):
        # Names of files are looked up among those that are declared.
        looked_up = "fileName" in {parameter["name"] for parameter in operation["parameters"]}
        api.call(method, path, None if method in ("GET", "DELETE") else {}, 404 if looked_up else 400)


def test_values_in_paths_that_are_not_there(api):
    for method, path, operation in operations(api, {"integer": "9999", "string": "none"}):
        if "404" in operation["responses"] and "/projects/none" not in path:
            query = "?search=x" if "search" in path else ""
            api.call(method, path + query, None if method in ("GET", "DELETE") else {"name": "x"}, 404)


def test_unknown_paths_and_methods(api):
    for method, path in (("POST", "/"), ("GET", "/nothing"), ("POST", "/plugins"), ("PUT", "/plugins"), ("DELETE", "/store/a"),
                         ("PATCH", "/version"), ("GET", "/plugins/github"), ("GET", "/plugins/github/connections/1/nothing"), ("GET", "/api/api"), ("GET", "/api/api/version")):
        message = api.call(method, path, status=404).json()["message"]
        assert method in message


def raw(api, text, half_close=True):
    """What the server answers to bytes that no client library would send."""
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=15) as link:
        link.sendall(text)
        if half_close:
            link.shutdown(socket.SHUT_WR)
        out = b""
        while chunk := link.recv(65536):
            out += chunk
    return out


def test_requests_that_are_no_http(api):
    for text in (b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 100, b"\r\n\r\n"):
        assert b" 200 " not in raw(api, text)
    assert api.get("/version")


def test_a_delete_without_a_body_and_curls_forms(api):
    made = api.post("/plugins/webhook/connections", {"name": "raw"})
    answer = raw(api, f"DELETE /plugins/webhook/connections/{made['id']} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(), False)
    assert b" 200 " in answer.split(b"\r\n")[0]
    # curl -d names the body a form; long ones must arrive, too.
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = '{"records": "' + "x" * 20000 + '"}'
    assert len(api.call("PUT", "/store/form", data=body, headers=form, status=201).json()["records"]) == 20000
    assert api.call("PUT", "/store/form?page=2", data="{\"a\": 1}", headers=form, status=201).json() == {"a": 1}


def test_a_long_body_does_not_spoil_the_connection(api):
    with requests.Session() as session:
        for _ in range(2):
            answer = session.put(api.url + "/store/long", data=b'"' + b"x" * 3_000_000 + b'"', timeout=30)
            assert answer.status_code == 413 and "bytes" in answer.json()["message"]
            assert session.get(api.url + "/version", timeout=30).status_code == 200
