"""Fixtures of the end-to-end tests: the built program (TARN_BIN names another), a fake GitHub, a home of its own.

The API's tests run on the embedded store, and where a file says `ON_SERVERS = True` on MariaDB and PostgreSQL, too. STORES=all, or names like
`STORES=mysql,postgres`, run all files on those, but where a file says `EMBEDDED_ONLY = True`. Servers are started once for all tests of a process.

Nothing here needs a network or leaves anything behind.
"""

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import sys
import time
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "fake"))

import database_servers  # noqa: E402
import github  # noqa: E402

TOKEN = github.DEFAULT_TOKEN
SIZES = {"seed": 3, "repos": "octo/alpha", "users": 8, "issues": 30, "pulls": 8, "comments": 25, "review_comments": 8,
         "reviews": 8, "events": 30, "commits": 20, "milestones": 3, "runs": 6, "deployments": 3, "releases": 2}
ALL_STORES = ("embedded", *database_servers.ENGINES)
STORES = {"": ALL_STORES[:1], "all": ALL_STORES}.get(os.environ.get("STORES", ""), os.environ.get("STORES", "").split(","))
FINAL = ("TASK_COMPLETED", "TASK_FAILED", "TASK_CANCELLED", "TASK_PARTIAL")


class Tarn:
    """The program with one home, on a database server where one is given."""

    def __init__(self, program, home, database=None):
        self.program = program
        self.home = home
        self.database = database
        # No setting of the developer's own reaches the tests.
        kept = ("PATH", "HOME", "LANG", "TARN_SHARE", "ASAN_OPTIONS", "UBSAN_OPTIONS")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ}
        self.environment |= {"TARN_HOME": str(home), "TEST_TOKEN": TOKEN, "API_RETRY": "1"}
        if database:
            self.environment["DB_URL"] = database.url

    def run(self, *arguments, env=None, timeout=120):
        return subprocess.run([self.program, *map(str, arguments)], cwd=self.home.parent, env=self.environment | (env or {}),
                              capture_output=True, text=True, timeout=timeout)

    def sync(self, url, *arguments, repo="octo/alpha", env=None):
        return self.run("sync", "github", "--endpoint", url, "--token-env", "TEST_TOKEN", "--repo", repo, *arguments, env=env)

    def sync_job(self, url, job, *arguments, env=None):
        return self.run("sync", "jenkins", "--endpoint", url, "--username", "ci", "--password-env", "TEST_TOKEN", "--job", job, *arguments, env=env)

    def query(self, sql):
        """The rows of a select, each a dict."""
        done = self.run("query", sql, "--format", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def value(self, sql):
        return next(iter(self.query(sql)[0].values()))

    def start(self, *arguments, env=None, stderr=subprocess.PIPE):
        """A process in the background; ended by the caller."""
        return subprocess.Popen([self.program, *map(str, arguments)], cwd=self.home.parent, env=self.environment | (env or {}),
                                stdout=subprocess.PIPE, stderr=stderr, text=True)


def copied_home(program, home, folder):
    """A home with its key, copied to a new folder."""
    shutil.copytree(home, folder)
    shutil.copy(home.parent / ".env", folder)
    tarn = Tarn(program, folder)
    tarn.environment["ENV_PATH"] = str(folder / ".env")
    return tarn


class Served:
    """A running `tarn serve`."""

    def __init__(self, tarn, *arguments):
        self.log = tempfile.TemporaryFile("w+")  # a pipe that nobody reads would stop it one day
        self.process = tarn.start("serve", "--port", "0", *arguments, stderr=self.log)
        atexit.register(self.process.kill)  # for tests that fail before stop()
        self.first_line = self.process.stdout.readline()
        if "http://" not in self.first_line:
            raise AssertionError(f"tarn serve did not start: {self.first_line}{self.stop()}")
        self.url = self.first_line.split()[-1]

    def call(self, method, path, body=None, **options):
        return requests.request(method, self.url + path, json=body, timeout=60, **options)

    def add_connection(self, endpoint, **fields):
        body = {"name": "fake", "endpoint": endpoint, "token": TOKEN, **fields}
        answer = self.call("POST", "/plugins/github/connections", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def add_repo(self, connection_id, name="octo/alpha"):
        answer = self.call("PUT", f"/plugins/github/connections/{connection_id}/scopes", {"data": [{"fullName": name}]})
        assert answer.status_code == 200, answer.text
        return answer.json()[0]

    def run_pipeline(self, options, **fields):
        """Queues a pipeline of one task and waits for its end."""
        body = {"name": "test", "plan": [[{"plugin": "github", "options": options, **fields}]]}  # `plugin` names another
        answer = self.call("POST", "/pipelines", body)
        assert answer.status_code == 201, answer.text
        return self.wait(answer.json()["id"])

    def wait(self, pipeline_id, seconds=90):
        for _ in range(seconds * 10):
            pipeline = self.call("GET", f"/pipelines/{pipeline_id}").json()
            if pipeline["status"] in FINAL:
                return pipeline
            time.sleep(0.1)
        raise AssertionError(f"pipeline {pipeline_id} does not end: {pipeline}")

    def stop(self, sent=signal.SIGTERM):
        """Exit status and what was logged."""
        if self.process.poll() is None:
            self.process.send_signal(sent)
        self.process.communicate(timeout=30)
        self.log.seek(0)
        return self.process.returncode, self.log.read()


@pytest.fixture(scope="session")
def program():
    path = Path(os.environ.get("TARN_BIN", ROOT / "build" / "tarn"))
    assert path.exists(), f"{path} is not built: run make build"
    return str(path)


def pytest_generate_tests(metafunc):
    module = metafunc.module
    if "store" not in metafunc.fixturenames or not module.__name__.startswith("test_api_") or getattr(module, "EMBEDDED_ONLY", False):
        return
    portion = getattr(module, "ON_SERVERS", False) and not os.environ.get("STORES")
    metafunc.parametrize("store", ALL_STORES if portion else STORES, indirect=True, scope="module")


@pytest.fixture(scope="module", params=database_servers.ENGINES)
def database(request):
    """A server for the tests of a file alone, one engine after the other."""
    with database_servers.start(request.param) as server:
        yield server


@pytest.fixture(scope="session")
def database_server():
    """The server of an engine, started when it is first asked for."""
    with contextlib.ExitStack() as running:
        started = {}

        def of(engine):
            if engine not in started:
                started[engine] = running.enter_context(database_servers.start(engine))
            return started[engine]
        yield of


@pytest.fixture(scope="module")
def store(request, database_server):
    """Makes a fresh database; nothing for an embedded home."""
    engine = getattr(request, "param", "embedded")
    return lambda: None if engine == "embedded" else database_servers.Database(database_server(engine))


@pytest.fixture
def tarn(program, tmp_path, store):
    return Tarn(program, tmp_path / "home", store())


@pytest.fixture
def fake():
    with github.start(**SIZES) as server:
        yield server


@pytest.fixture
def served(tarn):
    server = Served(tarn)
    yield server
    server.stop()
