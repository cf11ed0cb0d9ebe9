"""The fake GitHub as the tests see it: what it holds, read over HTTP as any client would, and homes that read it.

One server lives as long as the tests; each test gets a new world in it. A home that has read the untouched world is made
once and copied, as its connection names the server's port.
"""

import atexit
import functools
import shutil
import tempfile
import time
from pathlib import Path

import pytest
import requests

import github
from conftest import TOKEN, Tarn, copied_home
from fake_source import FakeSource, put_world
from rows import Rows

# A repository that has one of everything and is read in a moment.
SMALL = {"seed": 5, "repos": "octo/alpha", "users": 8, "issues": 60, "pulls": 20, "comments": 60, "review_comments": 20,
         "reviews": 24, "events": 80, "commits": 40, "milestones": 4, "runs": 40, "deployments": 8, "releases": 6}
WRAPS = {"actions/runs": "workflow_runs"}
BORN = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))


class Source(FakeSource):
    def __init__(self, server, repo="octo/alpha"):
        super().__init__(server)
        self.repo = repo
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {TOKEN}"

    def pages(self, path, wrap=None, **query):
        url, params = f"{self.server.url}{path}", {"per_page": 100, **query}
        while url:
            answer = self.session.get(url, params=params)
            assert answer.status_code == 200, (url, answer.text)
            yield from answer.json()[wrap] if wrap else answer.json()
            url, params = answer.links.get("next", {}).get("url"), None

    def list(self, path, **query):
        """All items of a list of the repository."""
        wrap = "jobs" if path.endswith("/jobs") else WRAPS.get(path)
        return list(self.pages(f"/repos/{self.repo}/{path}", wrap, **query))

    def issues(self):
        return [item for item in self.list("issues", state="all") if "pull_request" not in item]

    def pulls(self):
        return self.list("pulls", state="all")

    def below(self, parents, path, key="number"):
        """(parent, child) of every child list, e.g. below(pulls, "pulls/{}/reviews")."""
        return [(parent, child) for parent in parents for child in self.list(path.format(parent[key]))]

    def one(self, path):
        answer = self.session.get(self.server.url + path)
        return answer.json() if answer.status_code == 200 else None

    def change(self, op, **arguments):
        return super().change(op, repo=self.repo, **arguments)


# ---- worlds and homes

@functools.cache
def server():
    return github.start(**SMALL).start()


def new_world(**sizes):
    """A world in the server: the same one for the same sizes, and changes happen in real time."""
    app = github.make_app(now=BORN, **{**SMALL, **sizes})
    running = server()
    put_world(running, app)
    return Source(running)


@functools.cache
def read_once(program):
    folder = Path(tempfile.mkdtemp(prefix="tarn-e2e-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tarn = Tarn(program, folder / "home")
    synced(tarn, new_world())
    return tarn.home


@pytest.fixture
def source():
    return new_world()


@pytest.fixture
def settled(program, tmp_path, source):
    """A home that has read everything that `source` has."""
    return copy_of(program, tmp_path / "home")


def copy_of(program, folder):
    """Such a home in a new folder; the world is new, too."""
    tarn = copied_home(program, read_once(program), folder)
    new_world()
    return tarn


def synced(tarn, source, *arguments, env=None):
    done = tarn.sync(source.server.url, *arguments, repo=source.repo, env=env)
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr}"
    return done


def fresh_rows(program, folder, source):
    """What a new home holds that reads everything now."""
    shutil.rmtree(folder / "fresh", ignore_errors=True)
    tarn = Tarn(program, folder / "fresh")
    synced(tarn, source)
    return Rows(tarn).comparable()
