"""The fake Jenkins as the tests see it. One server lives as long as the tests; each test gets a new world in it.

A home that has read the untouched world is made once and copied, as its connection names the server's port.
"""

import atexit
import functools
import shutil
import tempfile
import time
from pathlib import Path

import pytest
import requests

import jenkins
from conftest import Tarn, copied_home
from fake_source import FakeSource
from table_rows import TableRows, differences, read_raw_tables, read_tables

SITE = "team/site"
APP = "team/apps/app 0000"
PLAIN = "team/apps/app 0001"
TOP = "nightly"
ALL = (SITE, APP, PLAIN, TOP)
BRANCHES = (f"{SITE}/main", f"{SITE}/feature%2Fmenu", f"{SITE}/PR-7", f"{SITE}/PR-8")
BUILT = (*BRANCHES, APP, PLAIN, TOP)
NOW = int(time.time() * 1000)
FIELDS = ("number,result,building,timestamp,duration,actions[lastBuiltRevision[SHA1,branch[name]],remoteUrls,causes[upstreamProject,upstreamBuild]]")


class Source(FakeSource):
    def get(self, path, tree=None):
        answer = requests.get(f"{self.server.url}/{path}", params={"tree": tree} if tree else None, auth=(jenkins.USER, jenkins.DEFAULT_TOKEN), timeout=30)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def builds(self, job):
        """All builds of a job, newest first."""
        return self.get(self.path(job) + "/api/json", f"allBuilds[{FIELDS}]")["allBuilds"]

    def stages(self, job, number):
        return self.get(f"{self.path(job)}/{number}/wfapi/describe")["stages"]

    def path(self, job):
        return self.server.app.world.url_of(job).removeprefix(self.server.app.world.url + "/").rstrip("/")


def synced(tarn, source, job, *arguments, env=None):
    done = tarn.sync_job(source.server.url, job, *arguments, env=env)
    assert done.returncode == 0, done.stderr
    return done


class Rows(TableRows):
    tables = read_tables("jenkins")
    raw_tables = read_raw_tables("jenkins")


def rows_of(tarn):
    return Rows(tarn)


def comparable(tarn):
    """A scope's own row is read when the scope is added: its colour grows old."""
    rows = rows_of(tarn).comparable()
    for row in rows["_tool_jenkins_jobs"].values():
        if row["_raw_data_table"] == "_raw_jenkins_scopes":
            del row["color"]
    return rows


def fresh_rows(program, folder, source, *jobs):
    """What a new home holds that reads these jobs now."""
    shutil.rmtree(folder / "fresh", ignore_errors=True)
    tarn = Tarn(program, folder / "fresh")
    for job in jobs:
        synced(tarn, source, job)
    return comparable(tarn)


def assert_rows(tarn, want):
    found = differences(comparable(tarn), want)
    assert not found, "\n".join(found)


def assert_as_fresh(program, folder, tarn, source, *jobs):
    assert_rows(tarn, fresh_rows(program, folder, source, *jobs))


# ---- worlds and homes

@functools.cache
def server():
    return jenkins.start().start()


def new_world(**sizes):
    """The same world for the same sizes; changes happen in real time."""
    running = server()
    running.app = running.core.app = jenkins.make_app(now=NOW, **sizes)
    running.core.faults.clear()
    running.core.log.clear()
    return Source(running)


@functools.cache
def read_once(program):
    folder = Path(tempfile.mkdtemp(prefix="tarn-jenkins-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tarn, source = Tarn(program, folder / "home"), new_world()
    for job in ALL:
        synced(tarn, source, job)
    return tarn.home


def copy_of(program, folder):
    """A home in a new folder that has read all of a new world."""
    tarn = copied_home(program, read_once(program), folder)
    new_world()
    return tarn


@pytest.fixture
def source():
    return new_world()


@pytest.fixture
def settled(program, tmp_path, source):
    """A home that has read everything that `source` has."""
    return copy_of(program, tmp_path / "home")
