#!/usr/bin/python3
"""Speed and memory of Jira's extract and convert: a board of ISSUES (200000) issues with ITEMS (5) changes each.

The issues come over HTTP from the fake Jira, made from a few templates; only what follows the collection is measured:
all of it once, again without news, and after three changes. MEMORY_LIMIT (512MB). Fails where the aims of 60 s and 1 GB
for 1 M change-log items are missed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "fake"), str(ROOT / "tests" / "e2e")]

import jira  # noqa: E402
from server import FakeServer, Response  # noqa: E402
from watched import watched  # noqa: E402

ISSUES = int(os.environ.get("ISSUES", "200000"))
ITEMS = int(os.environ.get("ITEMS", "5"))
MOST_SECONDS, MOST_MB = 60, 1000
TEMPLATES = 60
# Numbers that stand nowhere else in a template.
ISSUE, HISTORY, WORKLOG = 7_770_001, 8_880_000, 9_990_000
COLLECTORS = "collectIssuleField,collectStatus,collectIssueTypes,collectProjects,collectIssues,collectSprints"


class BigBoard(jira.JiraFake):
    """Board 1 holds as many issues as are asked for; the rest of the answers is the small world's."""

    def __init__(self):
        small = jira.make_app(projects=1, boards=1, users=50, issues=TEMPLATES + 2, histories=0, comments=1, worklogs=1, long=0)
        super().__init__(small.source)
        self.templates = [self.template(issue) for issue in list(self.source.world.issues.values())[2:]]
        self.changed = {}

    def template(self, issue):
        world = self.source.world
        issue.update(description=world.sentence(60, 120), parent=None, epic=None, links=[], children=[], histories=[])
        for index in range(ITEMS):
            (world.advance, world.reassign, world.relabel)[index % 3](issue, issue["created"] + index * 60_000)
            issue["histories"][-1]["id"] = HISTORY + index
        for index, log in enumerate(issue["worklogs"]):
            log["id"] = WORKLOG + index
        issue.update(id=ISSUE, number=ISSUE)
        value = self.source.show.issue(issue, None, "changelog", agile=True)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def issue(self, number):
        text = self.templates[number % len(self.templates)].replace(str(ISSUE), str(number + 1_000_000))
        for base, count in ((HISTORY, ITEMS), (WORKLOG, 4)):
            for index in range(count):
                text = text.replace(f'"{base + index}"', f'"{(number + 1_000_000) * 100 + index}"')
        return text.replace('"summary":"', f'"summary":"{self.changed[number]}', 1) if number in self.changed else text

    def handle(self, request):
        if not request.path.endswith("/board/1/issue"):
            return super().handle(request)
        params = request.params()
        numbers = sorted(self.changed) if "updated" in params.get("jql", "") else range(ISSUES)
        start = int(params.get("startAt", 0))
        size = min(int(params.get("maxResults", 50)), 100)
        shown = ",".join(self.issue(number) for number in numbers[start:start + size])
        return Response(200, f'{{"startAt":{start},"maxResults":{size},"total":{len(numbers)},"issues":[{shown}]}}'.encode())


class Bench:
    def __init__(self, server, folder):
        self.server = server
        self.environment = {**os.environ, "TARN_HOME": str(folder / "home"), "TARN_SHARE": str(ROOT),
                            "TEST_TOKEN": jira.TOKEN, "MEMORY_LIMIT": os.environ.get("MEMORY_LIMIT", "512MB")}
        self.command = [str(ROOT / "build" / "tarn"), "sync", "jira", "--endpoint", server.url + "/rest/", "--username", jira.USER,
                        "--password-env", "TEST_TOKEN", "--board", "1"]

    def run(self, what, *arguments):
        """Seconds and peak memory in MB of one run."""
        began = time.monotonic()
        said, code, usage, peak = watched([*self.command, *arguments], self.environment)
        seconds = time.monotonic() - began
        print(f"{what:<44} {seconds:8.2f} s  {usage.ru_utime + usage.ru_stime:8.2f} s CPU  peak {peak:6.0f} MB", flush=True)
        if code != 0:
            sys.exit(said)
        return seconds, peak, said

    def count(self, table):
        command = [self.command[0], "query", f"select count(*) as n from {table}", "--format", "json"]
        shown = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout
        return json.loads(shown)[0]["n"]

    def check(self, table, wanted):
        found = self.count(table)
        if found != wanted:
            sys.exit(f"{table} has {found} rows, not {wanted}")


def main():
    folder = Path(tempfile.mkdtemp(prefix="tarn-bench-"))
    try:
        with FakeServer(BigBoard()) as server:
            bench = Bench(server, folder)
            limit = bench.environment["MEMORY_LIMIT"]
            print(f"{ISSUES} issues of {len(server.app.issue(1))} bytes with {ITEMS} changes each, MEMORY_LIMIT={limit}")
            bench.run("collect", "--subtasks", COLLECTORS)
            seconds, peak, _ = bench.run("extract and convert, first time", "--skip-collectors")
            bench.check("issues", ISSUES)
            bench.check("issue_changelogs", ISSUES * ITEMS)
            bench.run("extract and convert, nothing new", "--skip-collectors")
            server.app.changed = {number: "Anew " for number in range(3)}
            bench.run("collect three changed issues", "--subtasks", COLLECTORS)
            _, _, said = bench.run("extract and convert, three changed issues", "--skip-collectors")
            if not re.search(r"^issues +0 +3 +0", said, re.M):
                sys.exit("three changed issues were not written as three rows:\n" + said)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    limit = MOST_SECONDS * max(ISSUES * ITEMS / 1_000_000, 0.1)
    if seconds > limit or peak > MOST_MB:
        sys.exit(f"the aim of {limit:.0f} s and {MOST_MB} MB is missed")


if __name__ == "__main__":
    main()
