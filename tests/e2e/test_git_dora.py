"""`tarn sync --git` of a fake GitHub with a real repository beside it: the DORA numbers of a project, and the way from each to its rows."""

import json
import math
import time

import pytest

import github
from conftest import TOKEN, Served, Tarn
from git_server import GitServer
from test_git import Repo, asked

DAY, HOUR = 86400, 3600
NOTHING = dict.fromkeys(("issues", "pulls", "comments", "review_comments", "reviews", "events", "commits", "milestones", "runs", "deployments", "releases"), 0)
KEYS = ("deployment_frequency", "lead_time_for_changes", "change_failure_rate", "failed_deployment_recovery_time")
PATTERNS = {"envNamePattern": "(?i)prod(.*)", "issueTypeIncident": "(incident|failure)", "prSizeExcludedFileExtensions": [".lock"]}


class Story:
    """Three pull requests with their merges in a real repository; the fake tells of them, of deployments and of an incident.

    day -30 first deployment; -29 change 1 merged; -28 change 2 merged; -27 deployment of both; -26 an incident, solved a day later;
    -20 change 3 merged; -19 its deployment fails; -18 and succeeds; -10 change 4 merged, not deployed.
    """

    def __init__(self, folder, source):
        self.world, self.now = source.world, int(time.time()) // 60 * 60
        self.hub = next(iter(self.world.repos.values()))
        self.repo = Repo(folder / "code")
        self.pulls, self.deployments = {}, {}
        self.commit("base", -40)
        self.deploy("first", -30, ["success"])
        self.change(1, -29)
        self.change(2, -28)
        self.deploy("second", -27, ["success"])
        self.incident = self.world.add_issue(self.hub, self.at(-26))
        self.incident.update(title="It is down", labels=["incident"], state="closed", closed=self.at(-25), updated=self.at(-25), user="dev-01")
        self.change(3, -20)
        self.deploy("fails", -19, ["failure"])
        self.deploy("third", -18, ["in_progress", "success"])
        self.change(4, -10)

    def at(self, day, hours=0):
        return self.now + day * DAY + hours * HOUR

    def commit(self, name, day, hours=0):
        self.repo.write(f"{name}.txt", f"{name}\n")
        self.repo.write("some.lock", f"{name}\n" * 50)
        self.repo.time = self.at(day, hours)
        return self.known(self.repo.commit(name.encode()))

    def known(self, sha):
        """The fake tells what git says of the commit."""
        authored, *parents = asked(self.repo.path, "log", "-1", "--format=%at %P", sha).decode().split()
        self.world.commits[sha] = {"sha": sha, "message": sha, "login": "dev-01", "date": int(authored), "parents": parents, "additions": 1, "deletions": 0}
        return sha

    def change(self, number, merged_day):
        """A branch of two commits from the day before, opened three hours after the first, merged with a merge commit."""
        self.repo.git("checkout", "-q", "-b", f"change-{number}")
        shas = [self.commit(f"change-{number}-a", merged_day - 1), self.commit(f"change-{number}-b", merged_day - 1, 1)]
        self.repo.git("checkout", "-q", "main")
        self.repo.time = self.at(merged_day)
        self.repo.git("merge", "-q", "--no-ff", "-m", f"merge {number}", f"change-{number}")
        merge = self.known(asked(self.repo.path, "rev-parse", "HEAD").decode().strip())
        issue = self.world.add_issue(self.hub, self.at(merged_day - 1, 3))
        self.world.add_pull(self.hub, issue)
        issue.update(title=f"Change {number}", state="closed", closed=self.at(merged_day), updated=self.at(merged_day), labels=[], user="dev-01")
        pull = self.hub.pulls[issue["number"]]
        pull.update(merged=self.at(merged_day), merger="dev-02", merge_sha=merge, commits=shas, draft=False, base_sha=shas[0], fork_gone=False)
        self.hub.reachable.update(shas)
        self.pulls[f"Change {number}"] = pull

    def deploy(self, name, day, states):
        """Of main as it is now; the last state comes an hour after the start."""
        key = self.world.new_id("deployment")
        sha = asked(self.repo.path, "rev-parse", "main").decode().strip()
        self.hub.deployments[key] = self.deployments[name] = {
            "id": key, "sha": sha, "ref": "main", "env": "production", "creator": "dev-01", "created": self.at(day), "updated": self.at(day),
            "statuses": [], "description": f"Deployment {name}"}
        for index, state in enumerate(states):
            self.world.add_status(self.deployments[name], state, self.at(day) + HOUR * (index + 1) // len(states))

    # ---- what the numbers must be, by git's walk of the commits and the times above

    def brought(self, older, newer):
        shas = asked(self.repo.path, "rev-list", f"{self.deployments[older]['sha']}..{self.deployments[newer]['sha']}").decode().split()
        return [title for title, pull in self.pulls.items() if pull["merge_sha"] in shas]

    def cycle(self, title, deployment):
        pull = self.pulls[title]
        opened = self.hub.issues[pull["number"]]["created"]
        first = min(int(asked(self.repo.path, "log", "-1", "--format=%at", sha)) for sha in pull["commits"])
        finished = self.deployments[deployment]["updated"]
        return sum(math.ceil(part / 60) for part in (opened - first, pull["merged"] - opened, finished - pull["merged"]))

    def lead_times(self):
        chain = ["first", "second", "third"]
        return {title: self.cycle(title, newer) for older, newer in zip(chain, chain[1:]) for title in self.brought(older, newer)}


@pytest.fixture(scope="module")
def synced(program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dora")
    tarn = Tarn(program, folder / "home")
    with github.start(seed=3, repos="octo/alpha", users=8, **NOTHING) as fake:
        story = Story(folder, fake.app.source)
        bare = folder / "served" / "alpha.git"
        bare.parent.mkdir()
        asked(folder, "clone", "-q", "--bare", str(story.repo.path), str(bare))
        server = GitServer(bare.parent, TOKEN)
        story.hub.clone_url = f"http://{server.host}/alpha.git"
        fake.app.forget_pages()
        served = Served(tarn)
        connection = served.add_connection(fake.url)
        path = f"/plugins/github/connections/{connection['id']}"
        config = served.call("POST", path + "/scope-configs", {"name": "patterns", **PATTERNS}).json()
        scope = served.add_repo(connection["id"])
        served.call("PATCH", f"{path}/scopes/{scope['githubId']}", {"scopeConfigId": config["id"]}).raise_for_status()
        served.stop()
        before = tarn.sync(fake.url, "--in-project", "shop")
        assert before.returncode == 0 and server.requests == 0, before.stderr
        known = {row["title"] for row in explain(tarn, "lead_time_for_changes")["rows"]}
        done = tarn.sync(fake.url, "--git")
        yield tarn, story, bare, known, done
        server.stop()


def explain(tarn, metric):
    done = tarn.run("explain", metric, "--project", "shop", "--format", "json", "--limit", "0")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_numbers_stand_at_the_end_and_each_can_be_opened(synced):
    tarn, story, _, known, done = synced
    assert done.returncode == 0, done.stderr
    lines = {line.split("tarn explain ")[1].strip(): line for line in done.stdout.splitlines() if "tarn explain " in line and "<number>" not in line}
    assert set(KEYS) <= set(lines) and "shop, the last half year" in done.stdout
    for metric, line in lines.items():
        explained = explain(tarn, metric)
        assert (explained["value"] is None) == ("no data" in line), (metric, line)
        assert explained["row_count"] == len(explained["rows"])
        for row in explained["rows"]:
            if row.get("raw_table", "").startswith("_raw_"):
                assert tarn.query(f"select data from {row['raw_table']} where id = {row['raw_id']}"), (metric, row)
    assert not [metric for metric in KEYS if "no data" in lines[metric]]
    # Without the history a deployment had brought its own commit alone.
    own = {deployment["sha"] for deployment in story.deployments.values()}
    assert known == {title for title, pull in story.pulls.items() if pull["merge_sha"] in own} == {"Change 2", "Change 3"}


def test_lead_time_is_of_what_git_says_the_deployments_brought(synced):
    tarn, story, *_ = synced
    wanted = story.lead_times()
    assert set(wanted) == {"Change 1", "Change 2", "Change 3"}
    explained = explain(tarn, "lead_time_for_changes")
    assert {row["title"]: row["value"] for row in explained["rows"]} == wanted
    assert explained["value"] == sorted(wanted.values())[1]
    assert {row["commit_sha"] for row in explained["rows"]} == {story.pulls[title]["merge_sha"] for title in wanted}


def test_deployments_failures_and_recovery(synced):
    tarn, story, *_ = synced
    deployed = explain(tarn, "deployment_frequency")
    assert {row["title"]: row["commit_sha"] for row in deployed["rows"]} == {
        f"Deployment {name}": story.deployments[name]["sha"] for name in ("first", "second", "third")}
    failed = explain(tarn, "change_failure_rate")
    assert {row["title"]: row["value"] for row in failed["rows"]} == {"Deployment first": 0, "Deployment second": 1, "Deployment third": 0}
    assert failed["value"] == pytest.approx(100 / 3)
    recovery = explain(tarn, "failed_deployment_recovery_time")
    assert [row["title"] for row in recovery["rows"]] == ["It is down"]
    assert recovery["value"] == (story.at(-25) - story.deployments["second"]["updated"]) // 60


def test_diffs_of_deployments_are_gits(synced):
    tarn, story, bare, *_ = synced
    chain = [story.deployments[name]["sha"] for name in ("first", "second", "third")]
    for older, newer in zip(chain, chain[1:]):
        rows = tarn.query(f"select commit_sha from commits_diffs where new_commit_sha = '{newer}' and old_commit_sha = '{older}' order by 1")
        assert [row["commit_sha"] for row in rows] == sorted(asked(bare, "rev-list", f"{older}..{newer}").decode().split())
    # Files that do not count by the scope config.
    assert tarn.value(f"select additions from commits where sha = '{story.pulls['Change 1']['commits'][0]}'") == 1
    commits = tarn.query("select commit_sha from repo_commits order by 1")
    assert [row["commit_sha"] for row in commits] == sorted(asked(bare, "rev-list", "--branches", "--tags").decode().split())
