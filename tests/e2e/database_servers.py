"""Private MariaDB and PostgreSQL servers from Debian's packages, on loopback and a free port, for tests.

    with database_servers.start("mysql") as server:      # or "postgres"
        url = server.make_database("lake")                # a DB_URL
        rows = server.rows("lake", "select ...")

As a program, for the tests in C++: `database_servers.py mysql|postgres` prints a DB_URL whose database is `lake`, and stops the server
when its standard input ends.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ENGINES = ("mysql", "postgres")
USER = PASSWORD = "merico"
POSTGRES_BIN = "/usr/lib/postgresql/15/bin"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    engine = ""

    def __init__(self, *arguments):
        self.arguments = arguments
        self.folder = Path(tempfile.mkdtemp(prefix="tarn-db-"))
        self.port = free_port()
        self.process = None
        # Servers refuse to run as root, or should not.
        self.account = next((name for name in (self.engine, "postgres", "nobody") if self.known(name)), None) if os.getuid() == 0 else None
        if self.account:
            shutil.chown(self.folder, self.account)

    @staticmethod
    def known(name):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)

    def options(self):
        return {"user": self.account, "group": pwd.getpwnam(self.account).pw_gid, "extra_groups": []} if self.account else {}

    def surroundings(self):
        """A folder of its own for temporary tables: a MariaDB that starts removes those of others."""
        return os.environ | {"TMPDIR": str(self.folder)}

    def prepare(self, *command):
        done = subprocess.run(command, cwd=self.folder, env=self.surroundings(), capture_output=True, text=True, timeout=120, **self.options())
        assert done.returncode == 0, done.stdout + done.stderr

    def launch(self, *command):
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=self.surroundings(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            **self.options())
        for _ in range(600):
            if self.process.poll() is not None:
                raise AssertionError(f"{self.engine} does not start:\n{self.log()}")
            if self.answers():
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.engine} does not answer:\n{self.log()}")

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def end(self, sent):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sent)
            self.process.wait(timeout=60)

    def close(self):
        self.end(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self):
        self.end(signal.SIGKILL)

    def stop(self):
        self.end(self.stop_signal)

    def client(self, command, sql, **options):
        done = subprocess.run(command, input=sql, capture_output=True, text=True, errors="replace", timeout=60, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def url(self, database, user=USER, password=PASSWORD, options=""):
        return f"{self.engine}://{user}:{password}@127.0.0.1:{self.port}/{database}{options}"


class MySql(Server):
    engine = "mysql"
    stop_signal = signal.SIGTERM

    def make(self):
        self.prepare("mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data", "--auth-root-authentication-method=normal",
                     "--skip-test-db", "--skip-name-resolve")
        self.start()
        self.admin(f"create user '{USER}'@'%' identified by '{PASSWORD}'; grant all on *.* to '{USER}'@'%'")

    def start(self):
        self.launch("mariadbd", "--no-defaults", f"--datadir={self.folder}/data", f"--socket={self.folder}/socket",
                    f"--tmpdir={self.folder}", f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={self.folder}/pid", "--skip-name-resolve",
                    "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=64M",
                    "--performance-schema=off", *self.arguments)

    def answers(self):
        return subprocess.run(["mariadb", "--no-defaults", f"--socket={self.folder}/socket", "-uroot", "-e", "select 1"],
                              capture_output=True).returncode == 0

    def admin(self, sql, database="mysql"):
        return self.client(["mariadb", "--no-defaults", f"--socket={self.folder}/socket", "-uroot", "-N", "-B",
                            "--default-character-set=utf8mb4", database], sql)

    def make_database(self, name, options="character set utf8mb4 collate utf8mb4_bin"):
        self.admin(f"create database `{name}` {options}")
        return self.url(name)

    def rows(self, database, sql):
        """Each a list of texts; NULL is "NULL"."""
        return [line.split("\t") for line in self.admin(sql, database).splitlines()]


class Postgres(Server):
    engine = "postgres"
    stop_signal = signal.SIGINT

    def make(self):
        self.prepare(f"{POSTGRES_BIN}/initdb", "-D", "data", "-A", "trust", "-U", "admin", "-E", "UTF8", "--no-sync", "--locale=C")
        (self.folder / "data" / "pg_hba.conf").write_text("local all admin trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        self.start()
        self.admin(f"create user {USER} superuser password '{PASSWORD}'")

    def start(self):
        self.launch(f"{POSTGRES_BIN}/postgres", "-D", "data", "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                    "-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off", "-c", "shared_buffers=64MB", *self.arguments)

    def answers(self):
        return subprocess.run([f"{POSTGRES_BIN}/pg_isready", "-q", "-h", str(self.folder), "-p", str(self.port)],
                              capture_output=True).returncode == 0

    def admin(self, sql, database="postgres"):
        return self.client([f"{POSTGRES_BIN}/psql", "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=NULL", "-v", "ON_ERROR_STOP=1",
                            "-h", str(self.folder), "-p", str(self.port), "-U", "admin", database], sql)

    def make_database(self, name, options="template template0 encoding 'UTF8'"):
        self.admin(f'create database "{name}" {options}')
        return self.url(name)

    def rows(self, database, sql):
        """Each a list of texts; NULL is "NULL"."""
        return [line.split("\t") for line in self.admin("set time zone 'UTC';" + sql, database).splitlines()]


class Database:
    """A fresh one, on a server that others share."""
    numbers = itertools.count(1)

    def __init__(self, server):
        self.server, self.name = server, f"lake{next(self.numbers)}"
        self.url = server.make_database(self.name)

    def rows(self, sql):
        return self.server.rows(self.name, sql)

    def everything(self, but=()):
        """The rows of all tables, in one call of the client."""
        schema = f"'{self.name}'" if self.server.engine == "mysql" else "'public'"
        tables = {name for name, in self.rows(f"select table_name from information_schema.tables where table_schema = {schema}")}
        found = {name: [] for name in tables - set(but)}
        quote = "`" if self.server.engine == "mysql" else '"'
        for table, *row in self.rows(";".join(f"select '{name}', t.* from {quote}{name}{quote} t" for name in sorted(found))):
            found[table].append(row)
        return {name: sorted(rows) for name, rows in found.items()}


@contextlib.contextmanager
def start(engine, *arguments):
    server = {"mysql": MySql, "postgres": Postgres}[engine](*arguments)
    try:
        server.make()
        yield server
    finally:
        server.close()


def main():
    with start(sys.argv[1]) as server:
        print(server.make_database("lake"), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
