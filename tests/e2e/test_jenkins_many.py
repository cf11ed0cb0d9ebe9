"""Thousands of jobs, in which nothing has happened. BRANCHES and SCOPES set how many (2,000 and 40)."""

import os
import time

import pytest

from conftest import TOKEN, Served
from jenkins_source import SITE, new_world, rows_of

BRANCHES = int(os.environ.get("BRANCHES", "2000"))
SCOPES = int(os.environ.get("SCOPES", "40"))
QUICK = ("--rate-limit-per-hour", "100000000")


def timed(run):
    began = time.monotonic()
    return run(), time.monotonic() - began


def told(what, source, seconds):
    counts = source.requests()
    print(f"\n{what}: {sum(counts.values())} requests {counts}, {seconds:.1f} s")
    return counts


def test_many_branches_of_a_project_are_one_request(tarn):
    source = new_world(branches=BRANCHES, builds=1, jobs=0)

    def sync():
        done, seconds = timed(lambda: tarn.sync_job(source.server.url, SITE, *QUICK))
        assert done.returncode == 0, done.stderr
        return done, seconds

    _, seconds = sync()
    counts = told(f"{BRANCHES} branches, first run", source, seconds)
    assert counts == {"jobs": 2, "builds": BRANCHES, "stages": BRANCHES}
    done, seconds = sync()
    assert told(f"{BRANCHES} branches, no news", source, seconds) == {"jobs": 1}
    assert done.stdout.startswith("nothing has changed\n")
    source.change("build", job=f"{SITE}/main")
    _, seconds = sync()
    assert told(f"{BRANCHES} branches, one new build", source, seconds) == {"jobs": 1, "builds": 1, "stages": 1}


@pytest.fixture
def scopes():
    source = new_world(jobs=SCOPES, builds=1, branches=0)
    return source, [f"team/apps/app {number:04}" for number in range(SCOPES)]


def test_many_scopes_of_a_folder_are_one_request(tarn, scopes):
    source, names = scopes
    served = Served(tarn)
    body = {"name": "fake", "endpoint": source.server.url, "username": "ci", "password": TOKEN, "rateLimitPerHour": 100_000_000}
    connection = served.call("POST", "/plugins/jenkins/connections", body)
    assert connection.status_code == 201, connection.text
    plan = [[{"plugin": "jenkins", "options": {"connectionId": connection.json()["id"], "fullName": name}}] for name in names]

    def run():
        pipeline = served.call("POST", "/pipelines", {"name": "all", "plan": plan}).json()
        ended, seconds = timed(lambda: served.wait(pipeline["id"], 60 + SCOPES))
        assert ended["status"] == "TASK_COMPLETED", ended
        return seconds

    # The first run asks for each scope itself, too.
    counts = told(f"{SCOPES} scopes, first run", source, run())
    assert counts == {"jobs": 1, "builds": 2 * SCOPES, "stages": SCOPES // 2}
    assert told(f"{SCOPES} scopes, no news", source, run()) == {"jobs": 1}
    source.change("build", job=names[3])
    assert told(f"{SCOPES} scopes, one new build", source, run()) == {"jobs": 1, "builds": 1}
    served.stop()
    assert len(rows_of(tarn)["cicd_pipelines"]) == SCOPES + 1
