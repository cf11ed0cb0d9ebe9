"""Serves recorded raw rows over HTTP instead of the invented world.

Reads `raw_tables/_raw_github_api_*.csv` of a conformance folder (columns id, params, data, url, input, created_at).
Each row's item is served at the path of the row's url, or, without a url, at the path that the table's name and input
give. Rows whose params name another repository than their url are served under both names. Of the rows of a table only
those with the table's commonest params count: the others are planted to test filters. Lists of a known repository that
were not recorded answer [].
"""

import collections
import csv
import glob
import json
import os
import re
from urllib.parse import urlsplit

from github_answers import Item, Listing, NOT_FOUND
from server import decode_path

PREFIX = "_raw_github_api_"
WRAPS = ((re.compile(r"/actions/runs$"), "workflow_runs"), (re.compile(r"/actions/runs/\d+/jobs$"), "jobs"))
SINGLE = re.compile(r"/users/[^/]+$")
UNRECORDED = ("issues", "issues/comments", "issues/events", "pulls", "pulls/comments", "milestones", "actions/runs",
              "commits", "deployments", "releases")
CHILDLESS = re.compile(r"(/repos/[^/]+/[^/]+)/(pulls/\d+/(commits|reviews)|actions/runs/\d+/jobs|deployments/\d+/statuses)$")
STREAM = re.compile(r"^/(repos/[^/]+/[^/]+|users/[^/]+|orgs/[^/]+|user)")
PATHS = {
    "issues": "/repos/{name}/issues", "comments": "/repos/{name}/issues/comments",
    "events": "/repos/{name}/issues/events", "milestones": "/repos/{name}/milestones",
    "pull_requests": "/repos/{name}/pulls", "pull_request_review_comments": "/repos/{name}/pulls/comments",
    "pull_request_reviews": "/repos/{name}/pulls/{Number}/reviews", "runs": "/repos/{name}/actions/runs",
    "pull_request_commits": "/repos/{name}/pulls/{Number}/commits", "jobs": "/repos/{name}/actions/runs/{ID}/jobs",
    "commits": "/repos/{name}/commits", "commit_stats": "/repos/{name}/commits/{Sha}",
    "accounts": "/users/{Login}", "account_orgs": "/users/{Login}/orgs", "deployments": "/repos/{name}/deployments",
    "releases": "/repos/{name}/releases"}


class ReplaySource:
    def __init__(self, folder):
        self.lists = collections.defaultdict(list)
        self.items = {}
        self.repos = {}
        csv.field_size_limit(1 << 30)
        files = sorted(glob.glob(os.path.join(glob.escape(folder), "raw_tables", PREFIX + "*.csv")))
        if not files:
            raise FileNotFoundError(f"no {PREFIX}*.csv in {folder}/raw_tables")
        for file in files:
            self.load(file)

    def load(self, file):
        table = os.path.basename(file)[len(PREFIX):-len(".csv")]
        with open(file, encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
        for params, row in usual_rows(rows):
            data = json.loads(row["data"])
            for path in paths_of(table, row, params):
                self.add(path, data)

    def add(self, path, data):
        name = re.match(r"/repos/([^/]+/[^/]+)", path)
        if name:
            self.repos.setdefault(name.group(1), {})
        if SINGLE.match(path):
            self.items[path] = data
            return
        entries = data if isinstance(data, list) else [data]
        self.lists[path] += entries
        for entry in entries:
            self.remember(path, entry)

    def remember(self, path, entry):
        """Runs and pull requests can also be read one by one, and a run describes its repository."""
        if path.endswith("/actions/runs"):
            self.items[f"{path}/{entry['id']}"] = entry
            repo = entry.get("repository") or {}
            self.repos[repo.get("full_name")] = repo
        elif path.endswith("/pulls"):
            self.items[f"{path}/{entry['number']}"] = entry

    # ---- the source's face

    def canonical(self, path):
        return decode_path(path)

    def stream(self, path):
        path = re.sub(r"/commits/[0-9a-f]+$", "/commits/*", re.sub(r"/\d+(?=/|$)", "/*", path))
        return STREAM.sub(lambda found: found.group(1).split("/")[0] + ("/*" if "/" in found.group(1) else ""), path).lstrip("/")

    def answer(self, path, _params):
        if path in self.items:
            return Item(self.items[path])
        if path in self.lists or self.is_empty_list(path):
            wrap = next((name for pattern, name in WRAPS if pattern.search(path)), None)
            return Listing(self.lists.get(path, []), lambda entry: entry, wrap=wrap)
        if path == "/user":
            return Item({"login": "replay", "id": 1, "type": "User"})
        repo = self.repos.get(path[len("/repos/"):]) if path.startswith("/repos/") else None
        return Item(repo) if repo else NOT_FOUND

    def is_empty_list(self, path):
        if path == "/user/orgs":
            return True
        child = CHILDLESS.match(path)
        root = child.group(1) if child else "/".join(path.split("/")[:4])
        known = root[len("/repos/"):] in self.repos
        return known and (bool(child) or path[len(root) + 1:] in UNRECORDED)

    def change(self, instruction):
        raise ValueError(f"a replay does not change: {instruction.get('op')!r}")

    def state(self):
        return {"replay": {path: len(entries) for path, entries in sorted(self.lists.items())},
                "items": sorted(self.items)}


def usual_rows(rows):
    """The rows with the commonest params, each with its parsed params."""
    if not rows:
        return []
    usual = collections.Counter(row["params"] for row in rows).most_common(1)[0][0]
    return [(json.loads(usual), row) for row in rows if row["params"] == usual]


def paths_of(table, row, params):
    if not row["url"].strip():
        pattern = PATHS.get(table.removesuffix("_bot_filter"))
        return [pattern.format(name=params["Name"], **(json.loads(row["input"] or "null") or {}))] if pattern else []
    path = decode_path(urlsplit(row["url"]).path)
    own = re.sub(r"^/repos/[^/]+/[^/]+", f"/repos/{params['Name']}", path)
    return dict.fromkeys((path, own))
