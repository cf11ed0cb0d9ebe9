"""Databases of old DevLake releases, on a private server of their own, and Tarn beside them.

The databases are not part of this repository: HISTORY names their folder (../shared/history). What tests print are tables, columns and
keys, never what is in them.
"""

import contextlib
import gzip
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
E2E = ROOT / "tests" / "e2e"
HISTORY = Path(os.environ.get("HISTORY", ROOT.parent / "shared" / "history"))
sys.path.insert(0, str(E2E))

import database_servers  # noqa: E402

_spec = importlib.util.spec_from_file_location("e2e_fixtures", E2E / "conftest.py")  # the name `conftest` is taken
e2e = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(e2e)
Tarn, Served = e2e.Tarn, e2e.Served
USER = database_servers.USER

NOTHING_TO_DO, FAILED, REFUSED, DUE = 0, 1, 4, 5  # exit codes of `tarn upgrade`

# Hundreds of tables are made and dropped in each test: without this a minute goes to the disk's syncing.
FAST = ("--innodb-flush-method=nosync", "--debug-no-sync", "--sync-frm=0", "--innodb-file-per-table=0")

RELEASES = sorted((folder.name for folder in HISTORY.glob("v*") if (folder / "before.sql.gz").is_file()),
                  key=lambda name: [int(part) for part in re.findall(r"\d+", name)])
needs_history = pytest.mark.skipif(not RELEASES, reason=f"no old databases in {HISTORY} (HISTORY names another folder)")


def connectors():
    """Names of the connectors that the program has, and of the parts of it that have tables of the same kind."""
    share = Path(os.environ.get("TARN_SHARE", ROOT))
    return sorted([path.parent.name for path in (share / "connectors").glob("*/connector.yaml")] + ["refdiff", "webhook"])


def is_of_connector(table, names):
    return any(table.startswith(f"{layer}_{name}_") for layer in ("_tool", "_raw") for name in names)


class Release:
    def __init__(self, name):
        self.name = name
        self.folder = HISTORY / name
        self.seeds = json.loads((self.folder / "seeds.json").read_text())
        self.env = (self.folder / "env").read_text()
        self.key = self.seeds["key"]
        self.key_name = self.seeds["key_name_in_env"]

    def before(self):
        return gzip.open(self.folder / "before.sql.gz").read()

    def after(self):
        """What the reference's own upgrade made of it; None: it made nothing."""
        found = sorted(self.folder.glob("after*.sql.gz"))
        return gzip.open(found[0]).read() if found else None


@pytest.fixture(scope="session")
def program():
    path = Path(os.environ.get("TARN_BIN", ROOT / "build" / "tarn"))
    assert path.exists(), f"{path} is not built: run make build"
    return str(path)


@pytest.fixture(scope="module")
def mariadb():
    with database_servers.start("mysql", *FAST) as server:
        yield server


@pytest.fixture(scope="module")
def postgres():
    with database_servers.start("postgres") as server:
        yield server


def load(server, database, script):
    if server.engine == "mysql":
        command = ["mariadb", "--no-defaults", f"--socket={server.folder}/socket", "-uroot", "--binary-mode", database]
        done = subprocess.run(command, input=script, capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr.decode(errors="replace")[:2000]
    else:
        server.admin(script.decode(), database)


def with_address(env, server, database, user=database_servers.USER, password=database_servers.PASSWORD):
    """The same file with our server in DB_URL, which keeps its form."""
    old = re.search(r"^DB_URL=.*$", env, re.M)[0]
    new = re.sub(r"[\w.]+:[^@/]*@", f"{user}:{password}@", old, count=1)
    new = re.sub(r"@(tcp\()?[\w.-]+:\d+(\)?)/\w+", lambda found: f"@{found[1] or ''}127.0.0.1:{server.port}{found[2]}/{database}", new, count=1)
    assert str(server.port) in new and database in new, "an unknown form of DB_URL"
    return env.replace(old, new)


class Instance:
    """A database, an `.env` beside it, and Tarn with an empty home."""

    def __init__(self, program, folder, server, database, env):
        self.server, self.database = server, database
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".env").write_text(env)
        self.tarn = Tarn(program, folder / "home")
        self.env_file = folder / ".env"

    def again(self, folder):
        """The same database from a home of its own."""
        return Instance(self.tarn.program, folder, self.server, self.database, self.env_file.read_text())

    def upgrade(self, *arguments, **options):
        return self.tarn.run("upgrade", *arguments, **options)

    def plan(self):
        """Exit code and JSON."""
        done = self.upgrade("plan", "--json")
        with contextlib.suppress(json.JSONDecodeError):
            return done.returncode, json.loads(done.stdout)
        raise AssertionError(f"no plan, exit code {done.returncode}: {done.stdout[-500:]}{done.stderr[-2000:]}")

    def apply(self, *arguments):
        done = self.upgrade("apply", "--yes", *arguments)
        assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
        return done

    def rollback(self):
        done = self.upgrade("rollback", "--yes")
        assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"

    def status(self):
        done = self.upgrade("status", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["state"]

    def rows(self, sql):
        return self.server.rows(self.database, sql)

    def run_sql(self, sql):
        self.server.admin(sql, self.database)

    def remove(self):
        self.server.admin(f"drop database if exists {self.database}")
        shutil.rmtree(self.tarn.home.parent, ignore_errors=True)


def database_name(text):
    return re.sub(r"\W", "_", text)[-60:]


def install(program, folder, server, release, name, env=None):
    """The release's database and file, loaded."""
    name = database_name(name)
    server.admin(f"drop database if exists {name}; create database {name} character set utf8mb4 collate utf8mb4_bin")
    load(server, name, release.before())
    return Instance(program, folder, server, name, with_address(env or release.env, server, name))
