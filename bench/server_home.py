#!/usr/bin/python3
"""What a home on MariaDB or PostgreSQL costs: CPU, requests, bytes and memory of a GitHub repository with all its parts.

SCALE (1.0) times 10,000 issues, 5,000 pull requests and 3,000 workflow runs; ENGINE (mysql). Three runs: the first, one without news,
and one after 2 % of the issues and pull requests changed. Of the server: its CPU, and the bytes it had written when all is on disk.
"""

import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "fake"), str(ROOT / "tests" / "e2e")]

import database_servers  # noqa: E402
import github  # noqa: E402
from source import Source  # noqa: E402
from watched import watched  # noqa: E402

SCALE = float(os.environ.get("SCALE", "1"))
ENGINE = os.environ.get("ENGINE", "mysql")
SIZES = {name: max(1, round(SCALE * count)) for name, count in {
    "issues": 10_000, "pulls": 5_000, "comments": 24_000, "review_comments": 8_000, "reviews": 10_000, "events": 36_000, "commits": 12_000,
    "runs": 3_000, "users": 300}.items()}


def server_use(pid):
    """CPU seconds and bytes written so far; of all processes of the server."""
    seconds = written = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(process.name) != pid and int(fields[1]) != pid:
                continue
            seconds += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            written += int(dict(line.split(": ") for line in (process / "io").read_text().splitlines())["write_bytes"])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return seconds, written


def count_bodies(core):
    """Counts the bytes of the answers' bodies before compression, as their reader sees them."""
    wire = core.wire

    def counting(request, response):
        core.sent += len(response.body.raw)
        return wire(request, response)

    core.sent, core.wire = 0, counting


class Bench:
    def __init__(self, fake, server, folder):
        self.fake, self.server = fake, server
        self.environment = {**os.environ, "TARN_HOME": str(folder / "home"), "TARN_SHARE": str(ROOT), "TEST_TOKEN": github.DEFAULT_TOKEN,
                            "DB_URL": server.make_database("lake"), "ENCRYPTION_SECRET": "kept beside the database",
                            "MEMORY_LIMIT": os.environ.get("MEMORY_LIMIT", "512MB")}

    def run(self, what):
        self.fake.control("DELETE", "requests")
        cpu, written = server_use(self.server.process.pid)
        began = time.monotonic()
        said, code, usage, peak = watched([str(ROOT / "build" / "tarn"), "sync", "github", "--endpoint", self.fake.url, "--token-env", "TEST_TOKEN",
                                           "--repo", "octo/alpha"], self.environment)
        seconds = time.monotonic() - began
        if code != 0:
            sys.exit(said)
        time.sleep(2)  # what the server writes behind
        cpu_now, written_now = server_use(self.server.process.pid)
        requests = self.fake.control("GET", "requests?list=0")["total"]
        print(f"{what:<22} {seconds:7.1f} s  CPU {usage.ru_utime + usage.ru_stime:6.1f} s + server {cpu_now - cpu:6.1f} s  "
              f"{requests:6} requests  peak {peak:5.0f} MB  server wrote {(written_now - written) / 1e6:7.1f} MB", flush=True)
        return written_now - written

    def change(self, share):
        choice = random.Random(1)
        source = Source(self.fake)
        for items, operation, extra in ((source.issues(), "update_issue", {"title": "Said anew"}), (source.pulls(), "add_review", {})):
            for item in choice.sample(items, max(1, round(len(items) * share))):
                source.change(operation, number=item["number"], **extra)


def main():
    folder = Path(tempfile.mkdtemp(prefix="tarn-bench-"))
    try:
        with github.start(repos="octo/alpha", limit=10**9, **SIZES) as fake, database_servers.start(ENGINE) as server:
            count_bodies(fake.core)
            bench = Bench(fake, server, folder)
            print(f"{ENGINE}: {SIZES}", flush=True)
            written = bench.run("first run")
            raw = server.rows("lake", "select table_name from information_schema.tables where table_name like '\\_raw\\_%'")
            rows = sum(int(server.rows("lake", f"select count(*) from {name[0]}")[0][0]) for name in raw)
            sent = fake.core.sent
            print(f"{rows} raw rows, {sent / 1e6:.1f} MB sent by the API, the server wrote {written / sent:.1f} bytes for each of them")
            bench.run("without news")
            bench.change(0.02)
            bench.run("2 % changed")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
