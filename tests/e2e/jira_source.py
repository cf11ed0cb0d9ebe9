"""The fake Jira as the tests see it: what it holds, read over HTTP as any client would, and homes that read it.

One server lives as long as the tests; each test gets a new world in it, Cloud or Data Center. A home that has read the
untouched world is made once for each and copied, as its connection names the server's port.
"""

import atexit
import functools
import shutil
import tempfile
import time
from pathlib import Path

import pytest
import requests

import jira
from conftest import Tarn, copied_home
from fake_source import FakeSource, put_world
from jira_rows import Rows

DEPLOYMENTS = ("Cloud", "Server")
# Boards 1 to 3 have a project each (scrum, kanban, team-managed), board 4 (scrum) has the first two.
SMALL = {"seed": 5, "projects": 3, "boards": 4, "users": 8, "issues": 40, "sprints": 5, "long": 130}
BORN = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1200))
ALWAYS = "2000-01-01 00:00"


class JiraSource(FakeSource):
    def __init__(self, server, board=1):
        super().__init__(server)
        self.board = board
        self.session = requests.Session()
        self.session.auth = (jira.USER, jira.TOKEN)

    @property
    def endpoint(self):
        return self.server.url + "/rest/"

    @property
    def world(self):
        return self.server.app.source.world

    @property
    def cloud(self):
        return self.server.app.source.cloud

    def one(self, path, **query):
        answer = self.session.get(self.endpoint + path, params=query)
        return answer.json() if answer.status_code == 200 else None

    def list(self, path, wrap="values", **query):
        found = []
        while True:
            page = self.one(path, startAt=len(found), maxResults=100, **query)
            assert page is not None, path
            found += page[wrap]
            if not page[wrap] or page.get("isLast", len(found) >= page.get("total", 0)):
                return found

    def issues(self, board=None):
        """The issues of the board, each with its whole change log, work logs and comments."""
        found = self.list(f"agile/1.0/board/{board or self.board}/issue", "issues", expand="changelog", jql="ORDER BY created ASC")
        for issue in found:
            log, worklog = issue["changelog"], issue["fields"]["worklog"]
            if log["total"] > len(log["histories"]):
                log["histories"] = self.list(f"api/3/issue/{issue['id']}/changelog")
            if worklog["total"] > len(worklog["worklogs"]):
                worklog["worklogs"] = self.one(f"api/2/issue/{issue['id']}/worklog")["worklogs"]
        return found

    def outside_epics(self, issues):
        """Epics of the issues that the board itself does not show; DevLake counts them to the board all the same."""
        own = {issue["key"] for issue in issues}
        keys = {issue["fields"]["epic"]["key"] for issue in issues if issue["fields"]["epic"]} - own
        return [self.one(f"api/2/issue/{key}", expand="changelog") for key in sorted(keys)]

    def sprints(self):
        return self.list(f"agile/1.0/board/{self.board}/sprint")


# ---- worlds and homes

@functools.cache
def server():
    return jira.start(**SMALL).start()


def new_world(deployment="Cloud", board=1, **sizes):
    """A world in the server: the same one for the same sizes, and changes happen in real time."""
    running = server()
    put_world(running, jira.make_app(deployment=deployment, now=BORN, **{**SMALL, **sizes}))
    return JiraSource(running, board)


@functools.cache
def read_once(program, deployment):
    folder = Path(tempfile.mkdtemp(prefix="tarn-e2e-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tarn = Tarn(program, folder / "home")
    synced(tarn, new_world(deployment))
    return tarn.home


@pytest.fixture(params=DEPLOYMENTS)
def deployment(request):
    return request.param


@pytest.fixture
def source(deployment):
    return new_world(deployment)


@pytest.fixture
def settled(program, tmp_path, source, deployment):
    """A home that has read everything that board 1 of `source` has."""
    return copy_of(program, tmp_path / "home", deployment)


def copy_of(program, folder, deployment="Cloud"):
    """Such a home in a new folder; the world is new, too."""
    tarn = copied_home(program, read_once(program, deployment), folder)
    new_world(deployment)
    return tarn


def flags(source):
    """Of `tarn sync`: Cloud by mail and API token, Data Center by a personal access token."""
    signed = ("--username", jira.USER, "--password-env", "TEST_TOKEN") if source.cloud else (
        "--auth-method", "AccessToken", "--token-env", "TEST_TOKEN")
    return ("sync", "jira", "--endpoint", source.endpoint, *signed, "--board", source.board)


def sync(tarn, source, *arguments, env=None):
    return tarn.run(*flags(source), *arguments, env=env)


def synced(tarn, source, *arguments, env=None):
    done = sync(tarn, source, *arguments, env=env)
    assert done.returncode == 0, done.stderr
    return done


def fresh_rows(program, folder, source):
    """What a new home holds that reads everything now."""
    shutil.rmtree(folder / "fresh", ignore_errors=True)
    tarn = Tarn(program, folder / "fresh")
    synced(tarn, source)
    return Rows(tarn).comparable()


# ---- a server with a scope config

def connected(served, source):
    """A connection of a running `tarn serve`: its id."""
    signed = {"authMethod": "BasicAuth", "username": jira.USER, "password": jira.TOKEN}
    answer = served.call("POST", "/plugins/jira/connections", {"name": "fake", "endpoint": source.endpoint, **signed})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def add_board(served, connection, board, **fields):
    answer = served.call("PUT", f"/plugins/jira/connections/{connection}/scopes", {"data": [{"boardId": board, **fields}]})
    assert answer.status_code == 200, answer.text


def run_boards(served, connection, boards, seconds=90):
    """One pipeline over the boards, one stage each."""
    plan = [[{"plugin": "jira", "options": {"connectionId": connection, "boardId": board}}] for board in boards]
    answer = served.call("POST", "/pipelines", {"name": "test", "plan": plan})
    assert answer.status_code == 201, answer.text
    return served.wait(answer.json()["id"], seconds)
