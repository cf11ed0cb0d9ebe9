"""Checks that the fake GitHub keeps its promises: paging, ETags, filters, limits, faults, changes, replay."""

import csv
import gzip
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest

import github

HERE = os.path.dirname(os.path.abspath(__file__))
ALPHA = "/repos/octo/alpha"


class Client:
    def __init__(self, port, token="test-token"):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.token = token

    def get(self, path, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}", **named})
        answer = self.connection.getresponse()
        answer.raw = answer.read()
        return answer

    def json(self, path, **headers):
        answer = self.get(path, **headers)
        assert answer.status == 200, (path, answer.status, answer.raw)
        return json.loads(answer.raw)

    def all(self, path, wrap=None):
        """Follows the next links to the end."""
        found = []
        while path:
            answer = self.get(path)
            value = json.loads(answer.raw)
            found += value[wrap] if wrap else value
            path = links(answer).get("next", "").removeprefix(f"http://127.0.0.1:{self.connection.port}")
        return found


def links(answer):
    return {rel: url for url, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("Link", ""))}


@pytest.fixture
def server():
    with github.start(seed=7) as running:
        yield running


@pytest.fixture
def client(server):
    return Client(server.port)


def change(server, op, **arguments):
    return server.control("POST", "change", {"op": op, **arguments})


def test_pages_cover_the_list_once(client):
    issues = client.all(ALPHA + "/issues?state=all&per_page=30&direction=asc")
    assert [issue["number"] for issue in issues] == list(range(1, 161))
    assert sum("pull_request" in issue for issue in issues) == 40
    assert len({issue["id"] for issue in issues}) == 160


def test_link_header_is_github_s(server, client):
    repo_id = client.json(ALPHA)["id"]
    base = f"<http://127.0.0.1:{server.port}/repositories/{repo_id}/issues?state=all&per_page=50&page="
    assert client.get(ALPHA + "/issues?state=all&per_page=50").headers["Link"] == (
        f'{base}2>; rel="next", {base}4>; rel="last"')
    assert client.get(ALPHA + "/issues?state=all&per_page=50&page=2").headers["Link"] == (
        f'{base}1>; rel="prev", {base}3>; rel="next", {base}4>; rel="last", {base}1>; rel="first"')
    assert client.get(ALPHA + "/issues?state=all&per_page=50&page=4").headers["Link"] == (
        f'{base}3>; rel="prev", {base}1>; rel="first"')
    past = client.get(ALPHA + "/issues?state=all&per_page=50&page=9")
    assert past.raw == b"[]"
    assert past.headers["Link"] == f'{base}4>; rel="prev", {base}4>; rel="last", {base}1>; rel="first"'
    assert client.get(ALPHA + "/milestones?state=all&per_page=100").headers["Link"] is None


def test_per_page_is_bounded(client):
    assert len(client.json(ALPHA + "/issues?state=all&per_page=1000")) == 100
    assert len(client.json(ALPHA + "/issues?state=all")) == 30


def test_every_endpoint_answers(client):
    run = client.json(ALPHA + "/actions/runs?per_page=1")["workflow_runs"][0]["id"]
    pull = next(pull["number"] for pull in client.all(ALPHA + "/pulls?state=all")
                if client.json(f"{ALPHA}/pulls/{pull['number']}/reviews"))
    deployment = client.json(ALPHA + "/deployments")[0]["id"]
    sha = client.json(ALPHA + "/commits")[0]["sha"]
    for path in ("/user", "/user/orgs", "/orgs/octo/repos", "/users/octo/repos", "/user/repos", "/rate_limit",
                 "/search/repositories?q=alpha+user:octo", "/users/dev-04/orgs", "/users/ci-helper%5Bbot%5D",
                 *(ALPHA + path for path in (
                     "/issues/comments", "/issues/events", "/pulls/comments", f"/pulls/{pull}", f"/pulls/{pull}/commits",
                     f"/pulls/{pull}/reviews", f"/actions/runs/{run}", f"/actions/runs/{run}/jobs", "/commits",
                     f"/commits/{sha}", f"/deployments/{deployment}", f"/deployments/{deployment}/statuses", "/releases"))):
        assert client.json(path), path
        assert client.json("/api/v3" + path), path
    assert client.json(f"{ALPHA}/commits/{sha}")["stats"]["total"] >= 0
    assert client.json("/search/repositories?q=alpha")["items"][0]["full_name"] == "octo/alpha"
    assert len(client.all("/users/dev-04/orgs")) > 30


def test_unknown_things_are_not_found(client):
    for path in ("/repos/octo/none", ALPHA + "/pulls/99999", "/users/nobody", "/users/ghost-02", "/none"):
        answer = client.get(path)
        assert (answer.status, json.loads(answer.raw)["message"]) == (404, "Not Found"), path


def test_tokens(server, client):
    answer = Client(server.port, "wrong").get("/user")
    assert (answer.status, json.loads(answer.raw)["message"]) == (401, "Bad credentials")
    assert client.get("/user").headers["X-OAuth-Scopes"] == github.DEFAULT_SCOPES
    with github.start(tokens=("a", "b"), scopes={"a": "repo", "b": ""}, repos="octo/alpha", issues=1) as several:
        assert [Client(several.port, token).get("/user").headers["X-OAuth-Scopes"] for token in "ab"] == ["repo", ""]


def test_an_app_needs_a_signed_token(server):
    for token in ("wrong", "a.b.c", github.DEFAULT_TOKEN):
        assert Client(server.port, token).get("/app").status == 401


def test_etag_saves_the_limit(client):
    first = client.get(ALPHA + "/issues")
    again = client.get(ALPHA + "/issues", If_None_Match=first.headers["ETag"])
    assert (again.status, again.raw) == (304, b"")
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    assert again.headers["Link"] == first.headers["Link"]
    assert client.get(ALPHA + "/issues", If_None_Match='W/"other"').status == 200


def test_change_ends_the_etag(server, client):
    etag = client.get(ALPHA + "/issues").headers["ETag"]
    change(server, "add_issue")
    assert client.get(ALPHA + "/issues", If_None_Match=etag).status == 200


def test_gzip_when_asked_for(client):
    plain = client.get(ALPHA + "/issues")
    packed = client.get(ALPHA + "/issues", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.raw) == plain.raw


def test_since_and_sort(client):
    issues = client.all(ALPHA + "/issues?state=all&sort=updated&direction=asc&per_page=100")
    stamps = [issue["updated_at"] for issue in issues]
    assert stamps == sorted(stamps)
    cut = stamps[100]
    later = client.all(f"{ALPHA}/issues?state=all&since={cut}&per_page=100")
    assert len(later) == sum(stamp >= cut for stamp in stamps)
    assert client.get(ALPHA + "/issues?since=yesterday").status == 422
    ids = [comment["id"] for comment in client.all(ALPHA + "/issues/comments?direction=desc&per_page=100")]
    assert ids == sorted(ids)


def test_everything_lies_in_the_past(client):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for stream, wrap in (("issues?state=all", None), ("pulls?state=all", None), ("actions/runs", "workflow_runs"),
                         ("issues/comments", None), ("deployments", None)):
        assert all(item["updated_at"] <= now for item in client.all(f"{ALPHA}/{stream}", wrap)), stream


def test_runs_window_and_cap(server, client):
    change(server, "add_runs", n=1200)
    runs = ALPHA + "/actions/runs"
    newest = client.json(runs + "?per_page=1")["workflow_runs"][0]["created_at"]
    window = client.json(f"{runs}?created={newest}..{newest}&per_page=1")
    assert window["total_count"] >= 1200
    assert len(client.all(f"{runs}?created=2018-01-01T00:00:00Z..{newest}&per_page=100", "workflow_runs")) == 1000
    assert len(client.all(f"{runs}?per_page=100", "workflow_runs")) == 1260
    assert client.json(f"{runs}?created=<2018-01-01")["total_count"] == 0


def test_repositories_share_users_and_commits(client):
    shas = [{commit["sha"] for commit in client.all(f"/repos/octo/{name}/commits?per_page=100")} for name in ("alpha", "beta")]
    assert len(shas[0] & shas[1]) == 50 and len(shas[0]) == 150
    authors = [{issue["user"]["login"] for issue in client.all(f"/repos/octo/{name}/issues?state=all") if issue["user"]}
               for name in ("alpha", "beta")]
    assert len(authors[0] & authors[1]) > 10


def test_awkward_data_is_there(client):
    issues = client.all(ALPHA + "/issues?state=all&per_page=100")
    bodies = [issue["body"] for issue in issues]
    assert None in bodies and "" in bodies and max(map(len, filter(None, bodies))) >= 200_000
    assert any("\u0000" in body and '"' in body for body in bodies if body)
    assert any(issue["user"] is None for issue in issues) and any(len(issue["labels"]) > 20 for issue in issues)
    assert any(event["actor"] is None for event in client.all(ALPHA + "/issues/events?per_page=100"))
    pulls = client.all(ALPHA + "/pulls?state=all&per_page=100")
    assert any(pull["merged_at"] for pull in pulls) and any(pull["head"]["repo"] is None for pull in pulls)
    assert {"open", "closed"} == {pull["state"] for pull in pulls}
    assert any(re.search(r"fixes #\d+", pull["body"] or "") for pull in pulls)


def test_same_seed_same_answers():
    worlds = [github.make_app(seed=3, now="2024-05-01T00:00:00Z").source for _ in range(2)]
    pages = [source.answer(ALPHA + "/issues", {}).page(1, 100) for source in worlds]
    assert pages[0] == pages[1]


def test_primary_limit(server, client):
    client.get("/user")
    server.control("POST", "limits", {"limit": 10, "remaining": 2, "reset_in": 2})
    assert [client.get("/user").status for _ in range(3)] == [200, 200, 403]
    refused = client.get("/user")
    assert refused.headers["X-RateLimit-Remaining"] == "0" and "Retry-After" not in refused.headers
    assert "rate limit exceeded" in json.loads(refused.raw)["message"]
    time.sleep(max(0, int(refused.headers["X-RateLimit-Reset"]) - time.time()))
    assert client.get("/user").status == 200


def test_limits_are_per_token():
    with github.start(tokens=("a", "b"), issues=1, pulls=0) as server:
        server.control("POST", "limits", {"token": "a", "remaining": 0})
        assert [Client(server.port, token).get("/user").status for token in "ab"] == [403, 200]


def test_secondary_limit(server, client):
    server.control("POST", "limits", {"secondary_after": 2, "retry_after": 1})
    assert [client.get("/user").status for _ in range(3)] == [200, 200, 403]
    refused = client.get("/user")
    assert refused.headers["Retry-After"] == "1" and "secondary rate limit" in json.loads(refused.raw)["message"]
    time.sleep(1.05)
    assert [client.get("/user").status for _ in range(4)] == [200] * 4


def faults(server, *rules):
    server.control("POST", "faults", list(rules))


def test_status_fault_counts(server, client):
    faults(server, {"match": "/issues\\?", "kind": "status", "status": 502, "body": "oops", "after": 1, "times": 2,
                    "headers": {"X-Extra": "1"}})
    answers = [client.get(ALPHA + "/issues?page=1") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 502, 502, 200]
    assert (answers[1].raw, answers[1].headers["X-Extra"]) == (b"oops", "1")
    assert server.control("GET", "faults")[0]["fired"] == 2
    server.control("DELETE", "faults")
    assert server.control("GET", "faults") == []


def test_connection_faults(server):
    faults(server, {"match": "/issues", "kind": "cut"}, {"match": "/issues", "kind": "drop"})
    with pytest.raises(http.client.IncompleteRead):
        Client(server.port).get(ALPHA + "/issues")
    with pytest.raises(http.client.RemoteDisconnected):
        Client(server.port).get(ALPHA + "/issues")
    assert Client(server.port).get(ALPHA + "/issues").status == 200


def test_body_faults(server, client):
    faults(server, {"match": "/issues", "kind": "garbage"}, {"match": "/issues", "kind": "truncate_json"})
    assert client.get(ALPHA + "/issues").raw.startswith(b"<!DOCTYPE html>")
    with pytest.raises(ValueError):
        json.loads(client.get(ALPHA + "/issues").raw)


def test_delay_and_probability(server, client):
    faults(server, {"match": "/user", "kind": "delay", "ms": 150}, {"match": "/releases", "kind": "status", "p": 0.5,
                                                                  "seed": 4, "times": -1})
    began = time.monotonic()
    assert client.get("/user").status == 200 and time.monotonic() - began >= 0.15
    statuses = [client.get(ALPHA + "/releases").status for _ in range(40)]
    assert 5 < statuses.count(500) < 35


def test_fault_reaches_pages_behind_numeric_links(server, client):
    faults(server, {"match": "^/repos/octo/alpha/issues.*page=2", "kind": "status", "status": 503})
    second = links(client.get(ALPHA + "/issues?state=all"))["next"].removeprefix(server.url)
    assert client.get(second).status == 503


def test_wrong_instructions_are_refused(server):
    for name, body in (("faults", {"kind": "none"}), ("change", {"op": "none"}), ("limits", {"x": 1}),
                       ("change", {"op": "update_issue", "number": 99999, "title": "x"})):
        with pytest.raises(ValueError):
            server.control("POST", name, body)


def test_request_log(server, client):
    etag = client.get(ALPHA + "/issues?page=1").headers["ETag"]
    client.get(ALPHA + "/issues?page=1", If_None_Match=etag)
    client.all(ALPHA + "/actions/runs?per_page=50", "workflow_runs")
    log = server.control("GET", "requests")
    assert log["counts"] == {"repos/*/issues": 2, "repos/*/actions/runs": 2}
    assert [entry["status"] for entry in log["requests"]] == [200, 304, 200, 200]
    assert [entry["conditional"] for entry in log["requests"]] == [False, True, False, False]
    server.control("DELETE", "requests")
    assert server.control("GET", "requests")["total"] == 0


def test_issue_changes(server, client):
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    change(server, "update_issue", number=5, fields={"title": "Renamed", "state": "closed"})
    issue = client.json(ALPHA + "/issues/5")
    assert (issue["title"], issue["state"]) == ("Renamed", "closed") and issue["updated_at"] >= started
    made = change(server, "add_issue", title="Brand new", labels=["bug"], count=2)["numbers"]
    assert client.json(f"{ALPHA}/issues/{made[0]}")["labels"][0]["name"] == "bug"
    change(server, "remove_label", number=made[0], label="bug")
    assert client.json(f"{ALPHA}/issues/{made[0]}")["labels"] == []
    change(server, "delete_issue", number=made[1])
    assert client.get(f"{ALPHA}/issues/{made[1]}").status == 410
    touched = {issue["number"] for issue in client.all(f"{ALPHA}/issues?state=all&since={started}")}
    assert touched == {5, made[0]}
    comment = change(server, "add_comment", number=5, body="hello")["id"]
    change(server, "edit_comment", id=comment, body="changed")
    assert [item["body"] for item in client.all(f"{ALPHA}/issues/comments?since={started}")] == ["changed"]
    moved = change(server, "transfer", number=5, to="octo/beta")["number"]
    assert client.json(f"/repos/octo/beta/issues/{moved}")["title"] == "Renamed"
    assert client.get(ALPHA + "/issues/5").status == 410


def test_pull_changes(server, client):
    number = change(server, "add_pull", title="A pull", body="fixes #3")["number"]
    path = f"{ALPHA}/pulls/{number}"
    pushed = change(server, "push_pull", number=number, commits=3)["commits"]
    assert [commit["sha"] for commit in client.json(path + "/commits")] == pushed
    assert client.json(path)["head"]["sha"] == pushed[-1]
    review = change(server, "add_review", number=number, state="CHANGES_REQUESTED")["id"]
    assert [item["id"] for item in client.json(path + "/reviews")] == [review]
    assert client.json(path)["merged"] is False
    change(server, "merge_pull", number=number)
    pull = client.json(path)
    assert pull["merged"] and pull["state"] == "closed" and pull["merged_at"]


def test_ci_changes(server, client):
    runs = ALPHA + "/actions/runs?per_page=100"
    is_open = [run["id"] for run in client.all(runs, "workflow_runs") if run["status"] != "completed"]
    assert change(server, "complete_runs")["ids"] == sorted(is_open) and is_open
    assert all(run["status"] == "completed" for run in client.all(runs, "workflow_runs"))
    assert client.json(f"{ALPHA}/actions/runs/{is_open[0]}/jobs")["jobs"][0]["status"] == "completed"
    deployment = change(server, "add_deployment")["id"]
    change(server, "add_deployment_status", id=deployment, state="failure")
    assert client.json(f"{ALPHA}/deployments/{deployment}/statuses")[0]["state"] == "failure"


def test_every_change_op_works(server):
    pull = change(server, "add_pull")["number"]
    run = change(server, "add_runs", status="queued")["ids"][0]
    release = change(server, "add_release")["id"]
    for instruction in (
            {"op": "add_label", "number": 1, "label": "p0"}, {"op": "add_event", "number": 1}, {"op": "add_milestone"},
            {"op": "close_milestone", "number": 1}, {"op": "delete_milestone", "number": 2}, {"op": "delete_release", "id": release},
            {"op": "add_review_comment", "number": pull},
            {"op": "close_pull", "number": pull}, {"op": "add_commits", "n": 2}, {"op": "rerun", "id": run},
            {"op": "delete_run", "id": run}, {"op": "add_release"}, {"op": "edit_comment"},
            {"op": "add_deployment_status"}, {"op": "delete_user", "login": "dev-09"},
            {"op": "update_user", "login": "dev-08", "name": "New"}, {"op": "delete_issue", "number": pull}):
        server.control("POST", "change", instruction)
    assert Client(server.port).get("/users/dev-09").status == 404


def test_clock(server):
    assert change(server, "clock", now="2024-02-01T00:00:00Z")["now"] == "2024-02-01T00:00:00Z"
    assert change(server, "add_issue")["now"] == "2024-02-01T00:01:00Z"
    assert change(server, "clock", now="2999-01-01T00:00:00Z")["now"] < "2999"


def test_malformed_items(server, client):
    change(server, "malformed", stream="issues", count=6)
    issues = client.all(ALPHA + "/issues?state=all&direction=asc")
    assert "id" not in issues[0] and issues[1]["number"] == {"value": 7} and issues[2]["labels"] == "bug"
    assert issues[4] == "not an object" and issues[5] is None and issues[6]["number"] == 7
    change(server, "malformed", stream="issues", count=0)
    assert client.json(ALPHA + "/issues?state=all&direction=asc")[0]["id"]


def test_command_line_ends_with_its_stdin():
    process = subprocess.Popen([sys.executable, os.path.join(HERE, "github.py"), "--watch-stdin", "--issues", "3"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port = int(process.stdout.readline().split()[1])
    assert Client(port).get("/user").status == 200
    process.stdin.close()
    assert process.wait(5) == 0
    process.stdout.close()


def test_pipelined_requests_are_answered_in_order(server):
    faults(server, {"match": "/user$", "kind": "delay", "ms": 50})
    head = "GET {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-token\r\nConnection: {}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall((head.format("/user", "keep-alive") + head.format("/none", "close")).encode())
        data = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", data)] == [200, 404]


@pytest.fixture
def recording(tmp_path):
    folder = tmp_path / "raw_tables"
    folder.mkdir()
    usual, planted = '{"ConnectionId":1,"Name":"o/r"}', '{"ConnectionId":2,"Name":"o/r"}'
    issues = [(usual, {"id": key, "title": "größe"}, "https://api.github.com/repos/o/r/issues?page=1", "null") for key in (1, 2, 3)]
    issues.append((planted, {"id": 1}, issues[0][2], "null"))
    write_rows(folder / "_raw_github_api_issues.csv", issues)
    write_rows(folder / "_raw_github_api_jobs.csv", [(usual, {"id": 9}, "", '{"ID": 77}')])
    write_rows(folder / "_raw_github_api_accounts.csv", [(usual, {"login": "x"}, "https://api.github.com/users/x", "{}")])
    write_rows(folder / "_raw_github_api_account_orgs.csv", [(usual, [], "https://api.github.com/users/x/orgs", "{}")])
    write_rows(folder / "_raw_github_api_milestones.csv", [
        (usual, {"id": 5}, "https://api.github.com/repos/other/place/milestones?page=1", "null")])
    return str(tmp_path)


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(("id", "params", "data", "url", "input", "created_at"))
        for key, (params, data, url, parent) in enumerate(rows):
            table.writerow((key, params, json.dumps(data), url, parent, "2024-01-01 00:00:00"))


def test_replay(recording):
    with github.start(replay=recording) as server:
        client = Client(server.port)
        assert [issue["id"] for issue in client.all("/repos/o/r/issues?per_page=2")] == [1, 2, 3]
        assert client.json("/repos/o/r/actions/runs/77/jobs") == {"total_count": 1, "jobs": [{"id": 9}]}
        assert client.json("/users/x") == {"login": "x"} and client.json("/users/x/orgs") == []
        assert client.json("/repos/o/r/milestones") == [{"id": 5}]
        assert client.json("/repos/o/r/pulls") == [] and client.json("/repos/o/r/pulls/4/reviews") == []
        assert client.get("/repos/o/none/issues").status == 404
        assert server.control("GET", "requests")["counts"]["repos/*/actions/runs/*/jobs"] == 1
