"""What the fake GitHub holds, read over HTTP as any client would: the expectations of the tests come from here."""

import requests

from conftest import TOKEN, Tarn
from rows import Rows

# A repository that has one of everything and is read in a moment.
SMALL = {"seed": 5, "repos": "octo/alpha", "users": 8, "issues": 60, "pulls": 20, "comments": 60, "review_comments": 20,
         "reviews": 24, "events": 80, "commits": 40, "milestones": 4, "runs": 40, "deployments": 8, "releases": 6}
WRAPS = {"actions/runs": "workflow_runs"}


class Source:
    def __init__(self, server, repo="octo/alpha"):
        self.server = server
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
        return self.server.control("POST", "change", {"op": op, "repo": self.repo, **arguments})

    def fault(self, *rules):
        self.server.control("POST", "faults", list(rules))

    def heal(self):
        self.server.control("DELETE", "faults")

    def requests(self):
        """stream -> number of requests since the last call."""
        counts = self.server.control("GET", "requests?list=0")["counts"]
        self.server.control("DELETE", "requests")
        return counts


def synced(tarn, source, *arguments, env=None):
    done = tarn.sync(source.server.url, *arguments, repo=source.repo, env=env)
    assert done.returncode == 0, done.stderr
    return done


def fresh_rows(program, folder, source):
    """What a new home holds that reads everything now."""
    tarn = Tarn(program, folder / "fresh")
    synced(tarn, source)
    return Rows(tarn).comparable()
