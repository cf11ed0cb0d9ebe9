"""Several processes on one database: take-over after a crash, cancel and cron across processes (`ROUNDS`, `SEED`)."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
import requests

import database_servers
import github
from conftest import FINAL, SIZES, Served, Tarn
from rows import Rows, differences

KILLS = max(int(os.environ.get("ROUNDS", "50")) // 3, 2)
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
REPOS = [f"octo/{name}" for name in ("alpha", "beta", "gamma")]
LEASE = 2
# What is the same on both engines but for single statements is tried on one of them.
ON_MYSQL, ON_POSTGRES = (pytest.mark.parametrize("database", [engine], indirect=True) for engine in database_servers.ENGINES)
POSTS = 3


@pytest.fixture(scope="module")
def source():
    with github.start(**(SIZES | {"repos": ",".join(REPOS), "issues": 12, "events": 12, "comments": 10, "commits": 8, "pulls": 4})) as fake:
        yield fake


class Worker:
    def __init__(self, tarn, *arguments):
        self.tarn = tarn
        self.arguments = arguments
        self.log = tempfile.TemporaryFile("w+")
        self.begin()

    def begin(self):
        self.process = self.tarn.start("worker", *self.arguments, stderr=self.log)

    def started(self):
        """What it prints when it works."""
        line = self.process.stdout.readline()
        assert "works on" in line, line + self.text()
        return line

    def end(self, sent=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(sent)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def text(self):
        self.log.seek(0)
        return self.log.read()


class Site:
    """A server that only answers, and workers beside it."""

    def __init__(self, program, folder, url, stack):
        self.program, self.folder, self.url, self.stack, self.workers = program, folder, url, stack, []
        self.server_tarn = self.tarn("server", CONSUME_PIPELINES="false")
        self.server = Served(self.server_tarn)
        stack.callback(self.server.stop)

    def tarn(self, name, **settings):
        self.folder.mkdir(parents=True, exist_ok=True)
        tarn = Tarn(self.program, self.folder / name)
        tarn.environment |= {"DB_URL": self.url, "ENCRYPTION_SECRET": "of all processes", "TARN_LEASE_SECONDS": str(LEASE)} | settings
        return tarn

    def worker(self, *arguments, **settings):
        made = Worker(self.tarn(f"worker{len(self.workers)}", **settings), *arguments)
        self.stack.callback(made.end)
        self.workers.append(made)
        return made


def make_site(program, folder, database, stack):
    name = f"s{random.randrange(1 << 40)}"
    made = Site(program, folder, database.make_database(name), stack)
    made.name = name
    return made


@pytest.fixture
def site(program, tmp_path, database):
    with contextlib.ExitStack() as stack:
        yield make_site(program, tmp_path / "site", database, stack)


@pytest.fixture(scope="module")
def quiet(program, tmp_path_factory, database, source):
    """With one repository and one worker that has a port: for tests that leave it as it is."""
    with contextlib.ExitStack() as stack:
        made = make_site(program, tmp_path_factory.mktemp("quiet") / "site", database, stack)
        made.connection = add_repos(made.server, source, REPOS[:1])
        line = made.worker("--port", 0).started()
        made.probes = f"http://127.0.0.1:{line.split()[-1]}"
        yield made


def add_repos(server, source, names=REPOS):
    connection = server.add_connection(source.url)["id"]
    for name in names:
        server.add_repo(connection, name)
    return connection


def plan_of(connection, *stages):
    return [[{"plugin": "github", "options": {"connectionId": connection, "name": name}} for name in stage] for stage in stages]


def create(server, plan, **fields):
    answer = server.call("POST", "/pipelines", {"name": "x", "plan": plan, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def until(holds, seconds=30):
    for _ in range(seconds * 10):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")


def post_issues(server, number):
    """Rows of a user's own: they come while workers write."""
    hooks = server.call("GET", "/plugins/webhook/connections").json()
    hook = hooks[0] if hooks else server.call("POST", "/plugins/webhook/connections", {"name": "hook"}).json()
    body = {"issueKey": f"K-{number}", "title": "t", "status": "TODO", "originalStatus": "new", "createdDate": "2026-03-01T10:00:00Z"}
    answer = server.call("POST", f"/plugins/webhook/connections/{hook['id']}/issues", body)
    assert answer.status_code == 200, answer.text


def everything(server, connection):
    """A pipeline of two stages and one of one stage; a scope in both of them."""
    return [create(server, plan_of(connection, REPOS[0:2], REPOS[2:3])), create(server, plan_of(connection, REPOS[0:1]))]


@pytest.fixture(scope="module")
def undisturbed(program, tmp_path_factory, source):
    tarn = Tarn(program, tmp_path_factory.mktemp("undisturbed") / "home")
    server = Served(tarn)
    try:
        for pipeline in everything(server, add_repos(server, source)):
            assert server.wait(pipeline)["status"] == "TASK_COMPLETED"
        for number in range(POSTS):
            post_issues(server, number)
    finally:
        server.stop()
    return Rows(tarn).comparable()


def test_three_workers_one_killed_again_and_again(site, source, database, undisturbed):
    print("SEED", SEED)
    chance = random.Random(SEED)
    connection = add_repos(site.server, source)
    for _ in range(3):
        site.worker()
    for worker in site.workers:
        worker.started()
    pipelines = everything(site.server, connection)
    for number in range(KILLS):
        if number < POSTS:
            post_issues(site.server, number)
        time.sleep(chance.uniform(0.3, 2.5))
        worker = chance.choice(site.workers)
        worker.end()
        worker.begin()
        if all(site.server.call("GET", f"/pipelines/{one}").json()["status"] in FINAL for one in pipelines):
            break
    for number in range(min(number + 1, POSTS), POSTS):
        post_issues(site.server, number)
    for pipeline in pipelines:
        found = site.server.wait(pipeline, 120)
        assert found["status"] == "TASK_COMPLETED", found["message"] + site.workers[0].text()
    tasks = database.rows(site.name, "select status, count(*) from _devlake_tasks group by status")
    assert tasks == [["TASK_COMPLETED", "4"]]
    assert database.rows(site.name, "select kind, name from _tarn_leases where kind not in ('order', 'scheduler')") == []
    for worker in site.workers:
        worker.end(signal.SIGTERM)
    site.server.stop()
    # The rows of the server, by way of an empty cache.
    fresh = site.tarn("fresh")
    assert fresh.run("sync", "github", "--endpoint", source.url, "--token-env", "TEST_TOKEN", "--repo", REPOS[0], "--skip-collectors").returncode == 0
    found = differences(Rows(fresh).comparable(), undisturbed)
    assert not found, "\n".join(found)


@ON_MYSQL
def test_cancel_reaches_the_worker_that_works(quiet, source, database):
    source.control("POST", "faults", {"match": "/milestones", "kind": "delay", "ms": 30000, "times": 1})
    try:
        pipeline = create(quiet.server, plan_of(quiet.connection, REPOS[:1]))
        tasks = lambda: quiet.server.call("GET", f"/pipelines/{pipeline}/tasks").json()["tasks"]
        while tasks()[0]["progressDetail"] is None:
            time.sleep(0.05)
        began = time.monotonic()
        assert requests.delete(f"{quiet.server.url}/pipelines/{pipeline}", timeout=30).status_code == 200
        assert quiet.server.wait(pipeline)["status"] == "TASK_CANCELLED"
        assert time.monotonic() - began < 10
        assert tasks()[0]["status"] == "TASK_CANCELLED"
    finally:
        source.control("DELETE", "faults")
    # Left by one that was killed: it is not for the next run.
    database.rows(quiet.name, f"insert into _tarn_cancels (pipeline_id) values ({pipeline})")
    assert quiet.server.call("POST", f"/pipelines/{pipeline}/rerun").status_code == 200
    assert quiet.server.wait(pipeline)["status"] == "TASK_COMPLETED"


@ON_MYSQL
def test_a_connections_limit_holds_for_all_workers_together(site, database):
    at_once = 300  # a tenth of the limit may be sent without pause, then three in four seconds
    with github.start(repos=",".join(REPOS[:2]), issues=0, comments=0, events=0, runs=0, pulls=300) as fake:
        connection = site.server.add_connection(fake.url, rateLimitPerHour=10 * at_once)["id"]
        for name in REPOS[:2]:
            site.server.add_repo(connection, name)
        for _ in range(2):
            site.worker(TASK_MAX_PARALLEL="1").started()
        fake.control("DELETE", "requests")
        pipeline = create(site.server, plan_of(connection, REPOS[:2]))
        until(lambda: database.rows(site.name, "select count(distinct owner) from _tarn_leases where kind = 'task'") == [["2"]])
        sent = lambda: fake.control("GET", "requests?list=0")["total"]
        until(lambda: sent() >= at_once / 3)
        time.sleep(6)  # alone, each of them would send all that the limit lets through at once
        assert sent() <= at_once * 1.1
        assert requests.delete(f"{site.server.url}/pipelines/{pipeline}", timeout=30).status_code == 200
        assert site.server.wait(pipeline)["status"] == "TASK_CANCELLED"


@ON_MYSQL
def test_a_process_sees_what_another_wrote(quiet, database):
    assert quiet.server.wait(create(quiet.server, plan_of(quiet.connection, REPOS[:1])))["status"] == "TASK_COMPLETED"
    (there,), = database.rows(quiet.name, "select count(*) from issues")
    assert int(there) > 0
    # `tarn query` asks the server, which has run nothing itself.
    until(lambda: quiet.server_tarn.value("select count(*) from issues") == int(there))


@ON_MYSQL
def test_a_worker_has_probes(quiet):
    assert requests.get(f"{quiet.probes}/ready", timeout=10).status_code == 200
    assert requests.get(f"{quiet.probes}/health", timeout=10).json()["message"] == "good"
    assert "tarn_build_info{" in requests.get(f"{quiet.probes}/metrics", timeout=10).text
    assert requests.get(f"{quiet.probes}/pipelines", timeout=10).status_code == 404


@ON_MYSQL
def test_a_key_is_not_changed_behind_those_that_work(quiet):
    done = quiet.tarn("keys").run("key", "rotate")
    assert done.returncode == 1 and "the database is in use by a Tarn process" in done.stderr, done.stdout + done.stderr


@ON_MYSQL
def test_a_backup_is_made_beside_those_that_work(quiet, tmp_path):
    done = quiet.tarn("other").run("backup", tmp_path / "saved.backup")
    assert done.returncode == 0, done.stderr


@ON_MYSQL
def test_a_worker_that_was_frozen_has_lost_its_work(site, source, database):
    connection = add_repos(site.server, source, REPOS[:1])
    first = site.worker()
    first.started()
    source.control("POST", "faults", {"match": "/milestones", "kind": "delay", "ms": 3000, "times": 1})
    try:
        pipeline = create(site.server, plan_of(connection, REPOS[:1]))
        while not database.rows(site.name, "select owner from _tarn_leases where kind = 'scope'"):
            time.sleep(0.05)
        first.process.send_signal(signal.SIGSTOP)
        site.worker().started()
        assert site.server.wait(pipeline)["status"] == "TASK_COMPLETED"
        first.process.send_signal(signal.SIGCONT)
        # It finds out, and works again as another one.
        assert site.workers[1].end(signal.SIGTERM) == 0
        assert site.server.wait(create(site.server, plan_of(connection, REPOS[:1])))["status"] == "TASK_COMPLETED"
        assert "not heard of for too long" in first.text()
    finally:
        source.control("DELETE", "faults")


@ON_POSTGRES
def test_a_worker_that_is_stopped_gives_its_work_back_at_once(site, source, database):
    connection = add_repos(site.server, source, REPOS[:1])
    first = site.worker(TARN_LEASE_SECONDS="600")
    first.started()
    source.control("POST", "faults", {"match": "/milestones", "kind": "delay", "ms": 30000, "times": 1})
    try:
        pipeline = create(site.server, plan_of(connection, REPOS[:1]))
        until(lambda: source.control("GET", "faults")[0]["fired"] == 1)
        assert first.end(signal.SIGTERM) == 0
        assert database.rows(site.name, "select status from _devlake_tasks") == [["TASK_RESUME"]]
        site.worker().started()
        assert site.server.wait(pipeline)["status"] == "TASK_COMPLETED"
    finally:
        source.control("DELETE", "faults")


@ON_POSTGRES
def test_the_database_goes_in_the_middle_and_comes_back(site, source, database):
    connection = add_repos(site.server, source, REPOS[:2])
    site.worker().started()
    pipeline = create(site.server, plan_of(connection, REPOS[:2]))
    until(lambda: database.rows(site.name, "select owner from _tarn_leases where kind = 'scope'"))
    database.kill()
    time.sleep(1)
    database.start()
    for _ in range(600):
        with contextlib.suppress(Exception):
            found = site.server.call("GET", f"/pipelines/{pipeline}").json()
            if found["status"] in FINAL:
                break
        time.sleep(0.1)
    assert found["status"] == "TASK_COMPLETED", found


@ON_POSTGRES
def test_one_process_schedules_and_another_takes_over(site, source, database):
    connection = add_repos(site.server, source, REPOS[:1])
    site.worker().started()
    task = {"plugin": "github", "subtasks": ["Collect Milestones"], "options": {"connectionId": connection, "name": REPOS[0]}}
    body = {"name": "often", "mode": "ADVANCED", "enable": True, "isManual": False, "cronConfig": "@every 1s", "plan": [[task]]}
    assert site.server.call("POST", "/blueprints", body).status_code == 201
    processes = {str(one.process.pid): one for one in (site.server, *site.workers)}

    def made():
        return [float(at) for at, in database.rows(site.name, f"select {seconds} from _devlake_pipelines order by id")]

    seconds = "unix_timestamp(created_at)" if database.engine == "mysql" else "extract(epoch from created_at)"
    until(lambda: len(made()) >= 2)
    leader, = database.rows(site.name, "select p.place from _tarn_leases l join _tarn_processes p on p.id = l.owner where l.kind = 'scheduler'")
    process = processes[leader[0].split()[1]]
    process.process.kill()
    process.process.wait()
    before = len(made())
    until(lambda: len(made()) >= before + 2)
    times = made()
    assert min(later - earlier for earlier, later in zip(times, times[1:])) > 0.5, times


FALSE_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec* out) {
    static int (*real)(clockid_t, struct timespec*);
    if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, out);
    if (clock == CLOCK_REALTIME) out->tv_sec += atoi(getenv("FALSE_CLOCK_BY"));
    return done;
}
"""


@ON_MYSQL
@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler")
def test_wrong_clocks_cost_nobody_a_lease(site, source, database, tmp_path):
    (tmp_path / "clock.c").write_text(FALSE_CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "clock.so", tmp_path / "clock.c", "-ldl"], check=True)
    for seconds in (-3600, 3600):
        site.worker(LD_PRELOAD=str(tmp_path / "clock.so"), FALSE_CLOCK_BY=str(seconds)).started()
    connection = add_repos(site.server, source, REPOS[:1])
    assert site.server.wait(create(site.server, plan_of(connection, REPOS[:1])))["status"] == "TASK_COMPLETED"
    ages = "expires_at - " + ("unix_timestamp(sysdate(3)) * 1000" if database.engine == "mysql" else "extract(epoch from clock_timestamp()) * 1000")
    rows = database.rows(site.name, f"select gone, {ages} from _tarn_processes")
    assert len(rows) == 3 and all(gone == "0" and 0 < float(left) <= 1000 * LEASE for gone, left in rows), rows


def test_a_worker_needs_a_database_server(tarn):
    done = tarn.run("worker")
    assert done.returncode == 1 and "DB_URL" in done.stderr and "tarn serve" in done.stderr
