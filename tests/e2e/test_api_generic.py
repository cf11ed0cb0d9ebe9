"""The same routes for a connector that is only a folder: ids with slashes, a password, nested groups, lists by cursor, no scope configs."""

import base64
import http.server
import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from conftest import Served, Tarn
from contract import Contract

YAML = """
name: forge
title: Forge
connection:
  table: _tool_forge_connections
  fields:
    name: {kind: text, required: true}
    endpoint: {kind: url, required: true}
    username: {kind: text, required: true}
    password: {kind: secret, required: true}
    team: {kind: text}
  auth:
    BasicAuth: {kind: basic, user: username, password: password}
  test: {path: me}
scope:
  table: _tool_forge_jobs
  id: full_name
  params: {ConnectionId: connectionId, FullName: fullName}
  options: {connectionId: connection_id, fullName: full_name}
  names: {web_url: WEBUrl}
  remote:
    - {kind: group, path: broken, fields: {id: "folder/{/name}", name: /name}}
    - {kind: group, path: "teams/{team}/folders", rows: /values, page: {kind: cursor, param: after, next: /next}, fields: {id: "folder/{/name}", name: /name}}
    - {when: folder/, kind: group, path: "{group}/folders", rows: /values, fields: {id: "{/path}", name: /name}}
    - {when: folder/, kind: scope, path: "{group}/jobs", rows: /values, page: {kind: offset, param: skip, size_param: take, size: 2}, fields: {id: /full, name: /name, full_name: /full, web_url: /links/web, size: /size}}
    - {when: search, kind: scope, path: jobs, rows: /values, query: {q: "{search}"}, page: {kind: offset, param: skip, size_param: take, size: 10}, fields: {id: /full, name: /name, fullName: /full, full_name: /full}}
subtasks:
  - Collect Builds: CICD
streams:
  builds:
    subtask: Collect Builds
    raw: _raw_forge_builds
    path: "builds/{fullName}"
    item: {id: bigint}
"""
TABLES = """
create table _tool_forge_connections (id ubigint not null auto, name varchar(100), endpoint text, username text, password text secret, team text,
    primary key (id)) times;
create table _tool_forge_jobs (connection_id ubigint not null, full_name varchar(255) not null, name varchar(255), web_url text, size double, seen datetime,
    primary key (connection_id, full_name)) origin;
"""


class Forge(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        known = base64.b64encode(b"ann:pass word").decode()
        status, body = (200, self.answer(url.path, query)) if self.headers["Authorization"] == "Basic " + known else (401, {})
        text = json.dumps({} if body is None else body).encode()
        self.send_response(404 if body is None else status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def answer(self, path, query):
        jobs = [{"name": f"job {n}", "full": f"a/b/job {n}", "size": n / 2, "links": {"web": "https://x.example/"}} for n in range(5)]
        skip, take = int(query.get("skip", 0)), int(query.get("take", 100))
        return {"/me": {"username": "ann"},
                "/teams/red%20team/folders": {"values": [{"name": "a"}], "next": "2"} if "after" not in query else {"values": [{"name": "z"}], "next": None},
                "/folder/a/folders": {"values": [{"name": "b", "path": "folder/a/b"}]}, "/folder/a/jobs": {"values": []},
                "/folder/a/b/folders": {"values": []}, "/folder/a/b/jobs": {"values": jobs[skip:skip + take]},
                "/jobs": {"values": [job for job in jobs if query.get("q", "") in job["name"]][skip:skip + take]}}.get(path)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def forge(program, tmp_path_factory, store):
    root = tmp_path_factory.mktemp("forge")
    folder = root / "more" / "forge"
    folder.mkdir(parents=True)
    (folder / "connector.yaml").write_text(YAML)
    (folder / "tables.sql").write_text(TABLES)
    tarn = Tarn(program, root / "home", store())
    tarn.environment["CONNECTORS_PATH"] = str(folder.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forge) as source:
        threading.Thread(target=source.serve_forever, daemon=True).start()
        server = Served(tarn)
        try:
            api = Contract(server.url)
            api.source = f"http://127.0.0.1:{source.server_address[1]}/"
            yield api
        finally:
            server.stop()
            source.shutdown()


@pytest.fixture(scope="module")
def connection(forge):
    body = {"name": "mine", "endpoint": forge.source, "username": "ann", "password": "pass word", "team": "red team"}
    return forge.post("/plugins/forge/connections", body, 201)


@pytest.fixture(scope="module")
def path(connection):
    return f"/plugins/forge/connections/{connection['id']}"


def test_it_is_listed_and_described(forge):
    assert forge.get("/health")["data"] is None
    assert "forge" in [entry["plugin"] for entry in forge.get("/plugins")]
    paths = forge.document["paths"]
    assert "/plugins/forge/connections/{connectionId}/search-remote-scopes" in paths
    assert not [name for name in paths if name.startswith("/plugins/forge/") and "scope-config" in name]


def test_a_password_is_never_shown(forge, connection, path):
    assert connection["password"] == "" and connection["username"] == "ann"
    changed = forge.patch(path, {"password": "", "username": "ann"})
    assert changed["password"] == ""
    assert forge.post(path + "/test", {})["login"] == "ann"
    assert "password" in forge.post("/plugins/forge/connections", {"name": "x", "endpoint": forge.source, "username": "a"}, 400)["message"]


def test_folders_in_folders_and_pages(forge, path):
    # The root's first request is answered with 404: it is for another kind of account.
    root = forge.get(path + "/remote-scopes")
    assert [child["id"] for child in root["children"]] == ["folder/a", "folder/z"] and root["nextPageToken"] == ""
    inner = forge.get(path + "/remote-scopes?groupId=folder/a")["children"]
    assert [(child["type"], child["id"], child["parentId"]) for child in inner] == [("group", "folder/a/b", "folder/a")]
    jobs = forge.get(path + "/remote-scopes", params={"groupId": "folder/a/b"})["children"]
    assert [child["id"] for child in jobs] == [f"a/b/job {n}" for n in range(5)]
    assert jobs[3]["data"]["size"] == 1.5 and jobs[3]["data"]["WEBUrl"] == "https://x.example/" and jobs[3]["data"]["seen"] is None


def test_a_search_is_paged(forge, path):
    first = forge.get(path + "/search-remote-scopes?search=job&page=1&pageSize=3")
    assert [child["name"] for child in first["children"]] == ["job 0", "job 1", "job 2"]
    assert [child["name"] for child in forge.get(path + "/search-remote-scopes?search=job&page=2&pageSize=3")["children"]] == ["job 3", "job 4"]
    assert forge.get(path + "/search-remote-scopes?search=job&pageSize=500")["pageSize"] == 10


def test_ids_with_slashes(forge, path):
    job = forge.get(path + "/remote-scopes", params={"groupId": "folder/a/b"})["children"][1]["data"]
    put = forge.put(path + "/scopes", {"data": [job]})[0]
    assert put["fullName"] == "a/b/job 1" and put["_raw_data_params"].endswith('"FullName":"a/b/job 1"}')
    for name in ("a/b/job%201", "a%2Fb%2Fjob%201", "/a/b/job 1", "a/b%2Fjob 1"):
        assert forge.get(f"{path}/scopes/{name}")["scope"] == put
        assert forge.get(f"{path}/scopes/{name}/latest-sync-state") == []
    assert forge.patch(f"{path}/scopes/a/b/job 1", {"weburl": "https://y.example/"})["WEBUrl"] == "https://y.example/"
    assert forge.delete(f"{path}/scopes/a/b/job 1?delete_data_only=true")["fullName"] == "a/b/job 1"
    assert forge.delete(f"{path}/scopes/a/b/job 1")["fullName"] == "a/b/job 1"
    forge.get(f"{path}/scopes/a/b/job 1", 404)


def test_what_it_does_not_declare_is_404(forge, path):
    forge.get(path + "/scope-configs", 404)
    forge.get("/plugins/forge/scope-config/1/projects", 404)
    # There is no such column, so it is left out as any unknown key.
    assert "scopeConfigId" not in forge.put(path + "/scopes", {"data": [{"fullName": "x", "scopeConfigId": 1}]})[0]
