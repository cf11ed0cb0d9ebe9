"""GitHub's REST routes over the invented world: filters, orders and defaults as GitHub documents them.

`/repositories/{id}/...`, `/organizations/{id}/...` and `/user/{id}/...`, which GitHub's Link headers use, mean the same
as the paths with names.
"""

import re

from github_answers import Item, Listing, NOT_FOUND, Refusal
from github_changes import Changes
from github_malformed import spoil
from github_render import Renderer
from invented import iso, parse_time
from server import decode_path

RUNS_REACHABLE = 1000
EVENTS_DEEPEST = 40_000
RUN_FILTERS = ("actor", "branch", "check_suite_id", "created", "event", "head_sha", "status")
OLDEST, NEWEST = 0, 1 << 62
NUMERIC = re.compile(r"/(repositories|organizations|user)/(\d+)(?=/|$)")


class BadParameter(Exception):
    pass


class WorldSource:
    def __init__(self, world, renderer=None):
        self.world = world
        self.show = renderer or Renderer(world)
        self.changes = Changes(world)
        self.routes = [(re.compile(pattern + "$"), stream, handler) for pattern, stream, handler in self.table()]
        self.chosen = {}
        self.streams = {}

    def table(self):
        repo = r"/repos/([^/]+)/([^/]+)"
        return [
            (r"/user", "user", self.me), (r"/user/orgs", "user/orgs", self.my_orgs),
            (r"/user/repos", "user/repos", self.my_repos), (r"/orgs/([^/]+)/repos", "orgs/*/repos", self.org_repos),
            (r"/orgs/([^/]+)", "orgs/*", self.one_org),
            (r"/users/([^/]+)", "users/*", self.one_user), (r"/users/([^/]+)/orgs", "users/*/orgs", self.user_orgs),
            (r"/users/([^/]+)/repos", "users/*/repos", self.user_repos),
            (r"/search/repositories", "search/repositories", self.search), (repo, "repos/*", self.one_repo),
            *((repo + path, "repos/*" + re.sub(r"\([^)]*\)", "*", path), self.within_repo(handler)) for path, handler in (
                ("/issues", self.issues), ("/issues/comments", self.comments), ("/issues/events", self.events),
                (r"/issues/(\d+)", self.one_issue), ("/pulls", self.pulls), ("/pulls/comments", self.review_comments),
                (r"/pulls/(\d+)", self.one_pull), (r"/pulls/(\d+)/commits", self.pull_commits),
                (r"/pulls/(\d+)/reviews", self.reviews), ("/milestones", self.milestones),
                ("/actions/runs", self.runs), (r"/actions/runs/(\d+)", self.one_run),
                (r"/actions/runs/(\d+)/jobs", self.jobs), ("/commits", self.commits),
                (r"/commits/([^/]+)", self.one_commit), ("/deployments", self.deployments),
                (r"/deployments/(\d+)", self.one_deployment), (r"/deployments/(\d+)/statuses", self.statuses),
                ("/releases", self.releases)))]

    # ---- the source's face

    def canonical(self, path):
        path = decode_path(path)
        found = NUMERIC.match(path)
        if not found:
            return path
        kind, number = found.group(1), int(found.group(2))
        prefix = {"repositories": self.repo_prefix, "organizations": self.org_prefix, "user": self.user_prefix}[kind](number)
        return prefix + path[found.end():] if prefix else path

    def repo_prefix(self, number):
        return next((f"/repos/{repo.full_name}" for repo in self.world.repos.values() if repo.id == number), None)

    def org_prefix(self, number):
        return next((f"/orgs/{login}" for login, org in self.world.orgs.items() if org["id"] == number), None)

    def user_prefix(self, number):
        return next((f"/users/{login}" for login, user in self.world.users.items() if user["id"] == number), None)

    def stream(self, path):
        found = self.streams.get(path)
        if found is None:
            found = next((stream for pattern, stream, _ in self.routes if pattern.match(path)), "other")
            self.streams[path] = found
        return found

    def answer(self, path, params):
        for pattern, _, handler in self.routes:
            found = pattern.match(path)
            if found:
                return self.call(handler, found.groups(), params)
        return NOT_FOUND

    def call(self, handler, groups, params):
        try:
            return handler(*groups, params)
        except BadParameter as problem:
            return Refusal(422, "Validation Failed", [{"resource": "Search", "field": str(problem), "code": "invalid"}])
        except KeyError:
            return NOT_FOUND

    def change(self, instruction):
        result = self.changes.apply(instruction)
        self.chosen.clear()
        self.show.forget_counts()
        return result

    def state(self):
        world = self.world
        return {"now": iso(world.clock.now()), "users": sorted(world.users), "gone_users": sorted(world.gone_users),
                "orgs": len(world.orgs), "repos": {repo.full_name: self.repo_state(repo) for repo in world.repos.values()}}

    def repo_state(self, repo):
        runs = list(repo.runs.values())
        return {"id": repo.id, "issues": len(repo.issues) - len(repo.pulls), "pulls": len(repo.pulls),
                "comments": len(repo.comments), "review_comments": len(repo.review_comments),
                "reviews": sum(map(len, repo.reviews.values())), "events": len(repo.events),
                "commits": len(repo.commits), "milestones": len(repo.milestones), "runs": len(runs),
                "runs_completed": sum(run["status"] == "completed" for run in runs),
                "jobs": sum(len(self.show.jobs(repo, run)) for run in runs) if len(runs) <= 10_000 else None,
                "deployments": len(repo.deployments), "releases": len(repo.releases), "last_number": repo.next_number - 1,
                "malformed": {stream: len(ids) for stream, ids in repo.malformed.items()}}

    # ---- helpers

    def within_repo(self, handler):
        def call(owner, name, *rest):
            return handler(self.world.repos[f"{owner}/{name}".lower()], *rest)
        return call

    def choose(self, repo, stream, key, pick):
        """The filtered and sorted records of a stream, kept until the next change."""
        cached = (repo.id, stream, key)
        if cached not in self.chosen:
            self.chosen[cached] = pick()
        return self.chosen[cached]

    def listing(self, repo, stream, records, show, **more):
        def shown(record):
            value = show(repo, record)
            kind = repo.malformed.get(stream, {}).get(record["id"]) if stream in repo.malformed else None
            return value if kind is None else spoil(value, kind)
        return Listing(records, shown, link_path=f"/repositories/{repo.id}/{more.pop('path', stream)}", **more)

    # ---- users, organisations, repositories

    def me(self, _params):
        return Item({**self.show.full_user(self.world.logins[0]), "two_factor_authentication": True})

    def my_orgs(self, _params):
        return Listing(self.orgs_of(self.world.logins[0]), self.show.org)

    def orgs_of(self, login):
        return [name for name, org in self.world.orgs.items() if login in org["members"]]

    def my_repos(self, _params):
        return Listing(list(self.world.repos.values()), self.show.repo)

    def org_repos(self, login, _params):
        org = self.world.orgs[login]
        return Listing(self.repos_of(login), self.show.repo, link_path=f"/organizations/{org['id']}/repos")

    def repos_of(self, owner):
        return [repo for repo in self.world.repos.values() if repo.owner == owner]

    def one_org(self, login, _params):
        return Item(self.show.org(login))

    def existing_user(self, login):
        if login in self.world.gone_users:
            raise KeyError(login)
        return self.world.users[login]

    def one_user(self, login, _params):
        self.existing_user(login)
        return Item(self.show.full_user(login))

    def user_orgs(self, login, _params):
        number = self.existing_user(login)["id"]
        return Listing(self.orgs_of(login), self.show.org, link_path=f"/user/{number}/orgs")

    def user_repos(self, login, _params):
        owner = self.world.orgs[login] if login in self.world.orgs else self.existing_user(login)
        return Listing(self.repos_of(login), self.show.repo, link_path=f"/user/{owner['id']}/repos")

    def search(self, params):
        if not params.get("q", "").strip():
            raise BadParameter("q")
        found = [repo for repo in self.world.repos.values() if matches(repo, params["q"].lower().split())]
        return Listing(found, self.show.repo, wrap="items", reachable=1000, extra={"incomplete_results": False})

    def one_repo(self, owner, name, _params):
        return Item(self.show.repo(self.world.repos[f"{owner}/{name}".lower()]))

    # ---- issues and pull requests

    def issues(self, repo, params):
        state, since = params.get("state", "open"), moment(params, "since", OLDEST)
        order, falling = params.get("sort", "created"), params.get("direction", "desc") != "asc"
        records = self.choose(repo, "issues", (state, since, order, falling), lambda: in_order(
            (issue for issue in repo.issues.values() if state in ("all", issue["state"]) and issue["updated"] >= since),
            order, falling))
        return self.listing(repo, "issues", records, self.show.issue)

    def one_issue(self, repo, number, _params):
        if int(number) in repo.deleted_issues:
            return Refusal(410, "This issue was deleted")
        return Item(self.show.issue(repo, repo.issues[int(number)]))

    def comments(self, repo, params):
        return self.listing(repo, "issues/comments", self.comment_records(repo, "comments", params), self.show.comment)

    def review_comments(self, repo, params):
        records = self.comment_records(repo, "review_comments", params)
        return self.listing(repo, "pulls/comments", records, self.show.review_comment)

    def comment_records(self, repo, stream, params):
        """Ascending ids, unless `sort` is given: only then does GitHub heed `direction`, descending by default."""
        since, order = moment(params, "since", OLDEST), params.get("sort", "")
        falling = bool(order) and params.get("direction", "desc") != "asc"
        return self.choose(repo, stream, (since, order, falling), lambda: in_order(
            (comment for comment in getattr(repo, stream).values() if comment["updated"] >= since), order, falling))

    def events(self, repo, _params):
        records = self.choose(repo, "events", None, lambda: list(repo.events.values())[::-1])
        return self.listing(repo, "issues/events", records, self.show.event, deepest=EVENTS_DEEPEST)

    def pulls(self, repo, params):
        state, order = params.get("state", "open"), params.get("sort", "created")
        falling = params.get("direction", "desc" if order == "created" else "asc") == "desc"
        issues = self.choose(repo, "pulls", (state, order, falling), lambda: in_order(
            (issue for issue in repo.issues.values() if issue["is_pull"] and state in ("all", issue["state"])),
            order, falling))
        return self.listing(repo, "pulls", issues, self.pull_of_issue)

    def pull_of_issue(self, repo, issue):
        return self.show.pull(repo, repo.pulls[issue["number"]])

    def one_pull(self, repo, number, _params):
        return Item(self.show.full_pull(repo, repo.pulls[int(number)]))

    def pull_commits(self, repo, number, _params):
        records = [self.world.commits[sha] for sha in repo.pulls[int(number)]["commits"]]
        return self.commit_listing(repo, records, path=f"pulls/{number}/commits", reachable=250)

    def reviews(self, repo, number, _params):
        records = repo.reviews.get(repo.pulls[int(number)]["number"], [])
        return self.listing(repo, "pulls/reviews", records, self.show.review, path=f"pulls/{number}/reviews")

    def milestones(self, repo, params):
        state = params.get("state", "open")
        records = [milestone for milestone in repo.milestones.values()
                   if state in ("all", "closed" if milestone["closed"] else "open")]
        records.sort(key=lambda milestone: milestone["due"] or NEWEST, reverse=params.get("direction") == "desc")
        return self.listing(repo, "milestones", records, self.show.milestone)

    # ---- actions

    def runs(self, repo, params):
        """Newest first. As on GitHub a query with a filter reaches 1,000 runs, though total_count tells them all."""
        filters = tuple(params.get(name) for name in RUN_FILTERS)
        records = self.choose(repo, "runs", filters, lambda: self.filtered_runs(repo, params))
        reachable = RUNS_REACHABLE if any(filters) else None
        return self.listing(repo, "actions/runs", records, self.show.run, wrap="workflow_runs", reachable=reachable)

    def filtered_runs(self, repo, params):
        first, last = span(params.get("created", ""))
        wanted = {name: params[key] for key, name in (("actor", "actor"), ("branch", "branch"), ("event", "event"),
                                                      ("head_sha", "sha")) if key in params}
        status = params.get("status")
        found = [run for run in repo.runs.values() if first <= run["created"] <= last
                 and status in (None, run["status"], run["conclusion"])
                 and all(run[name] == value for name, value in wanted.items())]
        return in_order(found, "created", True)

    def one_run(self, repo, key, _params):
        return Item(self.show.run(repo, repo.runs[int(key)]))

    def jobs(self, repo, key, _params):
        jobs = self.show.jobs(repo, repo.runs[int(key)])
        return self.listing(repo, "actions/runs/jobs", jobs, lambda _repo, job: job, wrap="jobs",
                            path=f"actions/runs/{key}/jobs")

    # ---- commits, deployments, releases

    def commits(self, repo, params):
        first, last = moment(params, "since", OLDEST), moment(params, "until", NEWEST)
        records = self.choose(repo, "commits", (first, last), lambda: [
            commit for commit in map(self.world.commits.get, reversed(repo.commits)) if first <= commit["date"] <= last])
        return self.commit_listing(repo, records)

    def commit_listing(self, repo, records, path="commits", **more):
        return Listing(records, lambda commit: self.show.commit(repo, commit["sha"]),
                       link_path=f"/repositories/{repo.id}/{path}", **more)

    def one_commit(self, repo, sha, _params):
        if sha not in repo.reachable:
            return Refusal(422, f"No commit found for SHA: {sha}")
        return Item(self.show.full_commit(repo, sha))

    def deployments(self, repo, _params):
        records = self.choose(repo, "deployments", None, lambda: list(repo.deployments.values())[::-1])
        return self.listing(repo, "deployments", records, self.show.deployment)

    def one_deployment(self, repo, key, _params):
        return Item(self.show.deployment(repo, repo.deployments[int(key)]))

    def statuses(self, repo, key, _params):
        deployment = repo.deployments[int(key)]
        return self.listing(repo, "deployments/statuses", deployment["statuses"][::-1],
                            lambda _repo, status: self.show.status(repo, status, deployment),
                            path=f"deployments/{key}/statuses")

    def releases(self, repo, _params):
        records = self.choose(repo, "releases", None, lambda: list(repo.releases.values())[::-1])
        return self.listing(repo, "releases", records, self.show.release)


def in_order(records, order, falling):
    field = order if order in ("created", "updated") else "id"
    return sorted(records, key=lambda record: (record[field], record["id"]), reverse=falling)


def moment(params, name, default):
    if not params.get(name):
        return default
    try:
        return parse_time(params[name])
    except ValueError:
        raise BadParameter(name) from None


def span(text):
    """The first and last second of a `created` filter: a..b, >=a, >a, <=b, <b, a day or a moment; * is open."""
    if not text:
        return OLDEST, NEWEST
    if ".." in text:
        first, last = text.split("..", 1)
        return edge(first, OLDEST), edge(last, NEWEST, end=True)
    for sign, limits in ((">=", lambda at: (at, NEWEST)), ("<=", lambda at: (OLDEST, at)),
                         (">", lambda at: (at + 1, NEWEST)), ("<", lambda at: (OLDEST, at - 1))):
        if text.startswith(sign):
            return limits(edge(text[len(sign):], OLDEST, end=sign in ("<=", ">")))
    return edge(text, OLDEST), edge(text, OLDEST, end=True)


def edge(text, when_open, end=False):
    if text in ("", "*"):
        return when_open
    try:
        at = parse_time(text)
    except ValueError:
        raise BadParameter("created") from None
    return at + 86_399 if end and len(text) == len("2024-01-31") else at


def matches(repo, terms):
    owners = [term.split(":", 1)[1] for term in terms if term.startswith(("user:", "org:"))]
    texts = [term for term in terms if ":" not in term]
    return (not owners or repo.owner.lower() in owners) and all(text in repo.full_name.lower() for text in texts)
