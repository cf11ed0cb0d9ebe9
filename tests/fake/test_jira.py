"""The fake Jira itself: does it page, search, refuse, limit and change as Jira does, Cloud and Data Center?"""

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import requests

import jira
import jira_jql

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = {"seed": 2, "issues": 30, "now": "2024-06-01T00:00:00Z"}
BOTH = ("Cloud", "Server")


class Client:
    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        self.session.auth = (jira.USER, jira.TOKEN)

    def get(self, path, **query):
        return self.session.get(f"{self.server.url}/rest/{path}", params=query)

    def json(self, path, **query):
        answer = self.get(path, **query)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def all(self, path, wrap="values", size=7, **query):
        found, start = [], 0
        while True:
            page = self.json(path, startAt=start, maxResults=size, **query)
            found += page[wrap]
            start += len(page[wrap])
            if page.get("isLast", start >= page.get("total", 0)):
                return found

    def refused(self, path, status, text, **query):
        answer = self.get(path, **query)
        assert answer.status_code == status, answer.text
        assert text in answer.json()["errorMessages"][0] and answer.json()["errors"] == {}

    def change(self, op, **arguments):
        return self.server.control("POST", "change", {"op": op, **arguments})


@pytest.fixture(params=BOTH)
def client(request):
    with jira.start(deployment=request.param, **SIZES) as server:
        yield Client(server)


@pytest.fixture
def cloud():
    with jira.start(**SIZES) as server:
        yield Client(server)


@pytest.fixture
def data_center():
    with jira.start(deployment="Server", **SIZES) as server:
        yield Client(server)


def keys(issues):
    return [issue["key"] for issue in issues]


# ---- who may ask

def test_authorization(client):
    cloud = client.server.app.source.cloud
    url = client.server.url + "/rest/api/2/myself"
    assert requests.get(url, auth=("someone", "wrong")).status_code == 401
    unknown = requests.get(url)
    assert unknown.status_code == 401 and unknown.text.startswith("<html>")
    bearer = requests.get(url, headers={"Authorization": f"Bearer {jira.TOKEN}"})
    assert bearer.status_code == (401 if cloud else 200)
    assert requests.get(url.replace("/rest/", "/jira/rest/"), auth=(jira.USER, jira.TOKEN)).json()["timeZone"] == "Europe/Berlin"


def test_users_are_named_by_account_or_by_key(cloud, data_center):
    me = cloud.json("api/3/myself")
    assert cloud.json("api/2/user", accountId=me["accountId"])["displayName"] == me["displayName"] and "key" not in me
    me = data_center.json("api/2/myself")
    assert data_center.json("api/2/user", key=me["key"]) == data_center.json("api/2/user", username=me["name"])
    assert "accountId" not in me
    gone = cloud.server.control("GET", "state")["gone_users"][0]
    cloud.refused("api/2/user", 404, "does not exist", accountId=gone)
    cloud.refused("api/2/user", 400, "accountId")


# ---- boards

def test_boards_sprints_and_filters(client):
    boards = client.all("agile/1.0/board", size=3)
    assert [board["id"] for board in boards] == [1, 2, 3, 4]
    assert {board["type"] for board in boards} == {"scrum", "kanban", "simple"}
    assert [board["id"] for board in client.json("agile/1.0/board", name="beta")["values"]] == [2]
    sprints = client.all("agile/1.0/board/1/sprint", size=2)
    assert [sprint["state"] for sprint in sprints] == ["closed"] * 3 + ["active", "future"] and "startDate" not in sprints[-1]
    client.refused("agile/1.0/board/2/sprint", 400, "does not support sprints")
    client.refused("agile/1.0/board/99", 404, "cannot be viewed")
    number = client.json("agile/1.0/board/4/configuration")["filter"]["id"]
    assert client.json(f"api/2/filter/{number}")["jql"] == "project in (ALPHA, BETA) ORDER BY Rank ASC"
    if client.server.app.source.cloud:
        found = client.all("api/3/filter/search?id=10003&id=10001", size=1, expand="jql")
        assert [one["id"] for one in found] == ["10001", "10003"] and all("jql" in one for one in found)
    client.change("hide_filter", board=4)
    client.refused(f"api/2/filter/{number}", 400, "not available")
    client.refused("agile/1.0/board/4/issue", 400, "not available")


def test_a_boards_issues_are_those_of_its_filter(client):
    alpha, wide = (client.all(f"agile/1.0/board/{board}/issue", "issues") for board in (1, 4))
    assert len(alpha) == 30 and len(wide) == 60
    assert {issue["fields"]["project"]["key"] for issue in wide} == {"ALPHA", "BETA"}
    oldest = client.all("agile/1.0/board/1/issue", "issues", jql="ORDER BY created ASC")
    moments = [issue["fields"]["created"] for issue in oldest]
    assert sorted(keys(alpha)) == sorted(keys(oldest)) and moments == sorted(moments)
    assert not any("changelog" in issue for issue in oldest)
    assert all("closedSprints" in issue["fields"] or "sprint" in issue["fields"] for issue in oldest)


# ---- searches

def test_the_new_search_of_cloud(cloud):
    found, token = [], {}
    while True:
        page = cloud.json("api/3/search/jql", jql="project = ALPHA order by key", maxResults=12, fields="summary,status", **token)
        found += page["issues"]
        if page["isLast"]:
            assert "nextPageToken" not in page and "total" not in page
            break
        token = {"nextPageToken": page["nextPageToken"]}
    assert keys(found) == [f"ALPHA-{number}" for number in range(1, 31)] and set(found[0]["fields"]) == {"summary", "status"}
    assert "fields" not in cloud.json("api/3/search/jql", jql="project = ALPHA")["issues"][0]
    cloud.refused("api/3/search/jql", 400, "Unbounded", jql="order by key")
    cloud.refused("api/3/search/jql", 400, "token", jql="project = BETA", **token)
    for version in "23":
        cloud.refused(f"api/{version}/search", 410, "has been removed", jql="project = ALPHA")
    url = cloud.server.url + "/rest/api/3/search/jql"
    posted = cloud.session.post(url, json={"jql": "key = ALPHA-3", "fields": ["summary"], "maxResults": 5}).json()
    assert keys(posted["issues"]) == ["ALPHA-3"]


def test_the_search_of_data_center(data_center):
    page = data_center.json("api/2/search", jql="project = ALPHA", startAt=25, maxResults=10)
    assert (page["total"], len(page["issues"])) == (30, 5) and "worklog" not in page["issues"][0]["fields"]
    assert data_center.get("api/3/search/jql", jql="project = ALPHA").status_code == 404


def test_documents_in_version_three_only(cloud, data_center):
    shape = lambda client, version: client.json(f"api/{version}/issue/ALPHA-4")["fields"]["description"]  # noqa: E731
    assert isinstance(shape(cloud, 2), str) and shape(cloud, 3)["type"] == "doc"
    assert isinstance(shape(data_center, 2), str)


@pytest.mark.parametrize("jql, count", [
    ("project = ALPHA", 30), ("project in (alpha, 'beta')", 60), ("not project = ALPHA", 60), ("key in (ALPHA-1, BETA-2)", 2),
    ('project = ALPHA and (key = ALPHA-1 or key = ALPHA-2) order by created desc, key asc', 2), ("sprint is empty", None),
    ("filter = 10000", 30), ("filter = 10003 AND project = BETA", 30), ("project != ALPHA and summary ~ 'order by'", 2),
    ('summary !~ "order by" and project = ALPHA', 29), ("statusCategory = Done", None), ("labels not in (backend)", None),
    ("updated >= '2020-01-01 00:00' and updated < \"2020/01/01\"", 0), ("created >= -9000d", 90), ("", 90), ("order by rank", 90)])
def test_jql(cloud, jql, count):
    world = cloud.server.app.source.world
    found = [issue for issue in world.issues.values() if jira_jql.parse(jql).matches(issue, world)]
    assert len(found) == count if count is not None else 0 < len(found) < 90


@pytest.mark.parametrize("jql", ["project", "project =", "project = ALPHA AND", "colour = red", "updated >= 'soon'", "(project = ALPHA",
                                 "order updated", "project = ALPHA key = 3", "project is ALPHA"])
def test_wrong_jql_is_refused(client, jql):
    answer = client.get("agile/1.0/board/1/issue", jql=jql)
    assert answer.status_code == 400 and answer.json()["errorMessages"]


def test_updated_means_minutes_in_the_users_zone(client):
    client.change("set_zone", zone="Asia/Kolkata")
    touched = client.change("transition", issue="ALPHA-7")["now"]
    moment = datetime.fromisoformat(touched.replace("Z", "+00:00"))
    asked = {0: ["ALPHA-7"], 60: []}
    for later, wanted in asked.items():
        shown = datetime.fromtimestamp(moment.timestamp() + later, ZoneInfo("Asia/Kolkata"))
        page = client.json("agile/1.0/board/1/issue", jql=f'updated >= "{shown:%Y/%m/%d %H:%M}"')
        assert keys(page["issues"]) == wanted
    shown = moment.astimezone(ZoneInfo("Asia/Kolkata"))
    assert client.json("api/2/issue/ALPHA-7")["fields"]["updated"] == f"{shown:%Y-%m-%dT%H:%M:%S}.000+0530"


# ---- details

def long_issue(client):
    issues = client.all("agile/1.0/board/1/issue", "issues", size=100, expand="changelog")
    return max(issues, key=lambda issue: issue["fields"]["worklog"]["total"])


def test_embedded_lists_are_cut_and_the_details_complete_them(cloud):
    issue = long_issue(cloud)
    log, comments, worklogs = issue["changelog"], issue["fields"]["comment"], issue["fields"]["worklog"]
    assert log["total"] > len(log["histories"]) == log["maxResults"] == 100
    assert comments["total"] > len(comments["comments"]) == 100 and worklogs["total"] > len(worklogs["worklogs"]) == 20
    whole = cloud.all(f"api/3/issue/{issue['id']}/changelog", size=100)
    assert len(whole) == log["total"]
    assert [entry["id"] for entry in log["histories"]] == [entry["id"] for entry in whole[::-1]][:100]
    assert len(cloud.all(f"api/3/issue/{issue['id']}/comment", "comments", size=100)) == comments["total"]
    assert len(cloud.json(f"api/2/issue/{issue['id']}/worklog")["worklogs"]) == worklogs["total"]
    assert any("author" not in entry for entry in whole) and all("fieldId" in item for entry in whole for item in entry["items"])


def test_data_center_cuts_work_logs_only(data_center):
    issue = long_issue(data_center)
    assert len(issue["changelog"]["histories"]) == issue["changelog"]["total"] > 100
    assert len(issue["fields"]["comment"]["comments"]) == issue["fields"]["comment"]["total"] > 100
    worklogs = data_center.json(f"api/2/issue/{issue['key']}/worklog", maxResults=10)["worklogs"]
    assert len(worklogs) == issue["fields"]["worklog"]["total"] > len(issue["fields"]["worklog"]["worklogs"]) == 20
    assert data_center.get(f"api/2/issue/{issue['key']}/changelog").status_code == 404


def test_links_and_panel(client):
    issues = client.all("agile/1.0/board/1/issue", "issues", size=100)
    links = [link for issue in issues for link in client.json(f"api/2/issue/{issue['id']}/remotelink")]
    assert links and all("/-/commit/" in link["object"]["url"] for link in links)
    panels = [client.json("dev-status/1.0/issue/detail", issueId=issue["id"], applicationType="GitLab", dataType="repository")
              for issue in issues]
    repositories = [repository for panel in panels for detail in panel["detail"] for repository in detail["repositories"]]
    commits = [commit for repository in repositories for commit in repository["commits"]]
    assert len(commits) == sum(int(issue["id"]) % 3 == 1 for issue in issues)
    sample = next(issue for issue in issues if int(issue["id"]) % 3 == 1)
    summary = client.json("dev-status/1.0/issue/summary", issueId=sample["id"])["summary"]
    assert summary["repository"]["byInstanceType"] == {"GitLab": {"count": 1, "name": "GitLab"}}


def test_awkward_data_is_there(client):
    fields = [issue["fields"] for board in (1, 2, 3) for issue in client.all(f"agile/1.0/board/{board}/issue", "issues", size=100)]
    assert {None, ""} <= {one["description"] for one in fields} and max(len(one["description"] or "") for one in fields) > 200_000
    assert any("\0" in one["description"] for one in fields if one["description"]) and any("🚨" in one["summary"] for one in fields)
    for name in ("reporter", "creator", "assignee", "priority", "resolution", "duedate", "epic", "sprint"):
        assert any(one[name] is None for one in fields) and any(one[name] for one in fields), name
    assert any(one["status"]["statusCategory"]["key"] == "undefined" for one in fields)
    assert any("closedSprints" in one for one in fields)
    assert any(one["issuelinks"] for one in fields) and any(one["subtasks"] for one in fields)


def test_same_seed_same_answers():
    pages = [jira.make_app(**SIZES).source.answer("agile/1.0/board/4/issue", {"expand": "changelog"}) for _ in range(2)]
    assert pages[0] == pages[1]
    newest = max(issue["fields"]["updated"] for issue in pages[0]["issues"])
    assert newest < "2024-06-01T02:00"


# ---- limits and faults

def test_limits(client):
    client.server.control("POST", "limits", {"after": 2, "retry_after": 1})
    assert [client.get("api/2/myself").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("api/2/myself")
    assert refused.headers["Retry-After"] == "1" and refused.headers["X-RateLimit-Remaining"] == "0"
    assert ("RateLimit-Reason" in refused.headers) == client.server.app.source.cloud
    time.sleep(1.05)
    assert [client.get("api/2/myself").status_code for _ in range(4)] == [200] * 4


def test_faults_and_log(client):
    client.server.control("POST", "faults", [{"match": "/board/1/issue\\?", "kind": "garbage"},
                                             {"match": "/changelog", "kind": "status", "status": 404}])
    assert client.get("agile/1.0/board/1/issue", maxResults=1).text.startswith("<!DOCTYPE html>")
    assert client.get("agile/1.0/board/1/issue", maxResults=1).json()["total"] == 30
    assert client.get("api/3/issue/10001/changelog").status_code == 404
    assert client.server.control("GET", "requests")["counts"] == {"agile/1.0/board/*/issue": 2, "api/3/issue/*/changelog": 1}


# ---- changes

def test_what_makes_an_issue_newer(client):
    before = client.json("api/2/issue/ALPHA-9")["fields"]["updated"]
    world = client.server.app.source.world
    for quiet in ({"op": "add_commit", "issue": "ALPHA-9"}, {"op": "rename_user", "user": 2, "display": "Renamed"},
                  {"op": "close_sprint", "sprint": 4}, {"op": "rename_status", "status": 3, "name": "Doing"}):
        client.server.control("POST", "change", quiet)
    assert client.json("api/2/issue/ALPHA-9")["fields"]["updated"] == before
    for op in ("transition", "add_comment", "add_worklog", "add_remotelink", "add_history", "assign"):
        client.change(op, issue="ALPHA-9")
        now = client.json("api/2/issue/ALPHA-9")["fields"]["updated"]
        assert now > before, op
        before = now
    assert world.issues[world.keys["ALPHA-9"]]["resolution"] == "Done"


def test_deleted_and_moved_issues(client):
    child = next(issue for issue in client.all("agile/1.0/board/1/issue", "issues") if issue["fields"]["issuetype"]["subtask"])
    gone = client.change("delete_issue", issue=child["fields"]["parent"]["key"])["id"]
    client.refused(f"api/2/issue/{gone}", 404, "does not exist")
    client.refused(f"api/2/issue/{child['id']}", 404, "does not exist")
    moved = client.change("move_issue", issue="ALPHA-10", project="BETA")
    assert client.json("api/2/issue/ALPHA-10")["key"] == moved["key"] and moved["key"].startswith("BETA-")
    assert str(moved["id"]) not in [issue["id"] for issue in client.all("agile/1.0/board/1/issue", "issues")]
    assert str(moved["id"]) in [issue["id"] for issue in client.all("agile/1.0/board/2/issue", "issues")]
    client.change("set_jql", board=1, jql="project = ALPHA AND type = Bug")
    assert {issue["fields"]["issuetype"]["name"] for issue in client.all("agile/1.0/board/1/issue", "issues")} == {"Bug"}


def test_every_change_op_works(client):
    made = client.change("add_issue", count=2, summary="One", description=None)
    sprint = client.change("add_sprint")["id"]
    for instruction in (
            {"op": "update_issue", "issue": made["keys"][0], "summary": "Two"}, {"op": "relabel", "labels": ["x"]},
            {"op": "set_points", "points": 13}, {"op": "plan", "issue": made["ids"][0], "sprints": [sprint]},
            {"op": "start_sprint", "sprint": sprint}, {"op": "rename_sprint", "sprint": sprint, "name": "Other"},
            {"op": "link_issues", "issue": made["keys"][0], "to": made["keys"][1]}, {"op": "unlink", "issue": made["keys"][0]},
            {"op": "add_comment"}, {"op": "edit_comment"}, {"op": "delete_comment"}, {"op": "add_worklog"}, {"op": "edit_worklog"},
            {"op": "delete_worklog"}, {"op": "add_remotelink"}, {"op": "delete_remotelink"}, {"op": "delete_sprint", "sprint": sprint},
            {"op": "rename_board", "board": 1, "name": "B"}, {"op": "delete_board", "board": 3}, {"op": "delete_user", "user": 3},
            {"op": "add_status", "name": "Blocked"}, {"op": "rename_type", "kind": 10004, "name": "Defect"}, {"op": "add_user"},
            {"op": "retype", "kind": 10001}, {"op": "clock", "now": "2024-07-01T00:00:00Z"}):
        client.server.control("POST", "change", instruction)
    assert client.json(f"api/2/issue/{made['ids'][0]}")["fields"]["summary"] == "Two"
    assert client.get("agile/1.0/board/3").status_code == 404
    for wrong in ({"op": "none"}, {"op": "update_issue", "issue": "ALPHA-1", "key": "X"}, {"op": "transition", "issue": "NONE-1"}):
        with pytest.raises(ValueError):
            client.server.control("POST", "change", wrong)


def test_malformed_issues(client):
    client.change("malformed", count=6)
    issues = client.json("agile/1.0/board/1/issue", jql="order by created", maxResults=50)["issues"]
    assert "id" not in issues[0] and issues[1]["fields"] == "none" and issues[4:6] == ["not an object", None]
    client.change("malformed", count=0)
    assert client.json("agile/1.0/board/1/issue", jql="order by created")["issues"][0]["id"] == "10001"


def test_command_line_ends_with_its_stdin():
    command = [sys.executable, os.path.join(HERE, "jira.py"), "--watch-stdin", "--issues", "3", "--deployment", "Server"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port = int(process.stdout.readline().split()[1])
    info = requests.get(f"http://127.0.0.1:{port}/rest/api/2/serverInfo", auth=(jira.USER, jira.TOKEN)).json()
    assert json.dumps(info["versionNumbers"]) == "[9, 12, 4]"
    process.stdin.close()
    assert process.wait(5) == 0
    process.stdout.close()
