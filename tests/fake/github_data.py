"""The invented GitHub world: compact records of users, organisations, repositories and all that hangs on them.

Same sizes, seed and now, same world. Times are epoch seconds and never later than now. A record keeps facts only;
github_render.py turns it into GitHub's payload. Issues and pull requests share one number series per repository, and
repositories share users and the oldest third of their commits.
"""

import base64
import bisect
import dataclasses
import random
import struct

from invented import DAY, UNICODE_TEXTS, WORDS, sha_of

LABELS = ("component/api", "component/ui", "component/storage", "severity/critical", "severity/minor", "highest", "high",
          "medium", "low", "p0", "p3", "bug", "broken window", "feat", "feature/request", "proposal", "incident",
          "failure", "docs", "good first issue", "type/chore", "日本語ラベル", "needs \"triage\"", "a,b;c", "🔥 hot")
ENVIRONMENTS = ("production", "staging", "prod-eu", "preview/42", "github-pages")
WORKFLOWS = ("build", "deploy-production", "CodeScan", "夜間ビルド", "release 🚀")
CONCLUSIONS = ("success",) * 12 + ("failure",) * 3 + ("cancelled", "skipped", "timed_out", "neutral", "startup_failure")
BRANCHES = ("main", "main", "main", "develop", "release/1.2", "feature/größe", "fix/#12-crash")
EVENTS = ("closed", "reopened", "labeled", "unlabeled", "assigned", "milestoned", "mentioned", "referenced",
          "subscribed", "renamed", "head_ref_deleted", "merged")
REVIEW_STATES = ("APPROVED", "APPROVED", "COMMENTED", "COMMENTED", "CHANGES_REQUESTED", "DISMISSED", "PENDING")
ASSOCIATIONS = ("MEMBER", "CONTRIBUTOR", "NONE", "OWNER", "COLLABORATOR", "FIRST_TIME_CONTRIBUTOR")
ID_BASES = {"user": 583_000, "org": 9_919_000, "repo": 812_345_000, "label": 6_700_000_000, "milestone": 11_500_000,
            "issue": 2_310_000_000, "pull": 1_980_000_000, "comment": 2_240_000_000, "review": 2_150_000_000,
            "review_comment": 1_690_000_000, "event": 13_400_000_000, "run": 9_870_000_000, "deployment": 1_730_000_000,
            "status": 3_400_000_000, "release": 168_000_000}


@dataclasses.dataclass
class Sizes:
    """Items per repository, except `users`."""
    seed: int = 1
    repos: str = "octo/alpha,octo/beta"
    users: int = 24
    issues: int = 120
    pulls: int = 40
    comments: int = 200
    review_comments: int = 60
    reviews: int = 70
    events: int = 300
    commits: int = 150
    milestones: int = 6
    runs: int = 60
    deployments: int = 20
    releases: int = 8
    days: int = 720


def node_id(prefix, *numbers):
    return prefix + "_" + base64.urlsafe_b64encode(struct.pack(f">{len(numbers)}Q", *numbers)).decode().rstrip("=")


class Repo:
    def __init__(self, number, owner, name, created):
        self.id = number
        self.owner = owner
        self.name = name
        self.full_name = f"{owner}/{name}"
        self.clone_url = None  # of a real repository beside it
        self.created = created
        self.updated = created
        self.next_number = 1
        self.issues = {}
        self.pulls = {}
        self.deleted_issues = set()
        self.commits = []
        self.reachable = set()
        self.comments = {}
        self.review_comments = {}
        self.reviews = {}
        self.events = {}
        self.milestones = {}
        self.runs = {}
        self.deployments = {}
        self.releases = {}
        self.malformed = {}


class World:
    def __init__(self, sizes, clock):
        self.sizes = sizes
        self.clock = clock
        self.random = random.Random(sizes.seed)
        self.last_ids = dict(ID_BASES)
        self.users = {}
        self.gone_users = set()
        self.orgs = {}
        self.repos = {}
        self.commits = {}
        self.label_ids = {}
        self.build()

    def new_id(self, kind):
        self.last_ids[kind] += self.random.randint(1, 97)
        return self.last_ids[kind]

    def words(self, count):
        return " ".join(self.random.choices(WORDS, k=count))

    def sentence(self, least=3, most=9):
        return self.words(self.random.randint(least, most)).capitalize()

    def login(self):
        return self.random.choice(self.logins)

    def moments(self, count, start, end):
        """`count` rising moments spread over start..end."""
        step = (end - start) / max(count, 1)
        return [int(start + step * (index + self.random.random() * 0.9)) for index in range(count)]

    def between(self, start, end):
        return self.random.randint(start, max(start, end))

    # ---- construction

    def build(self):
        self.now = self.clock.now()
        self.start = self.now - self.sizes.days * DAY
        self.end = self.now - 300
        self.add_users()
        names = [name.strip() for name in self.sizes.repos.split(",") if name.strip()]
        self.add_orgs({name.split("/")[0] for name in names} - set(self.users))
        shared = self.sizes.commits // 3 if len(names) > 1 else 0
        shared_shas = self.make_commits("shared", shared, self.start - 90 * DAY, self.start, None)
        for name in names:
            self.add_repo(*name.split("/"), shared_shas)

    def add_users(self):
        for index in range(max(self.sizes.users, 6)):
            self.add_user(f"dev-{index + 1:02d}", "User")
        self.logins = list(self.users)
        self.add_user("ci-helper[bot]", "Bot")
        self.add_user("octo-bot[bot]", "Bot")
        self.add_user("ghost-01", "User")
        self.add_user("ghost-02", "User")
        self.gone_users |= {"ghost-01", "ghost-02"}
        self.authors = self.logins + ["ci-helper[bot]", "ghost-01"]

    def add_user(self, login, kind):
        index = len(self.users)
        self.users[login] = {
            "login": login, "id": self.new_id("user"), "type": kind,
            "name": (f"Developer {index}", None, UNICODE_TEXTS[index % len(UNICODE_TEXTS)], "")[index % 4],
            "email": f"{login}@example.com" if index % 3 == 0 else None,
            "company": (None, "@octo", "Example & Söhne", "")[index % 4],
            "location": (None, "Berlin", "東京")[index % 3], "bio": None if index % 2 else "Line one\r\nLine \"two\"",
            "created": self.between(self.start - 2000 * DAY, self.start), "updated": self.between(self.start, self.end)}

    def add_orgs(self, owners):
        for login in sorted(owners):
            self.orgs[login] = {"login": login, "id": self.new_id("org"), "members": self.logins[:3]}
        for index in range(1, 41):
            login = f"guild-of-long-names-{index:02d}"
            self.orgs[login] = {"login": login, "id": self.new_id("org"), "members": self.logins[3:4 + (index == 1)]}

    def add_repo(self, owner, name, shared_shas):
        repo = Repo(self.new_id("repo"), owner, name, self.start)
        self.repos[repo.full_name.lower()] = repo
        repo.commits = list(shared_shas)
        repo.commits += self.make_commits(repo.full_name, self.sizes.commits - len(shared_shas), self.start, self.end,
                                          shared_shas[-1] if shared_shas else None)
        repo.reachable = set(repo.commits)
        self.add_milestones(repo)
        self.add_numbered(repo)
        self.add_comments(repo)
        self.add_reviews(repo)
        self.add_events(repo)
        for moment in self.moments(self.sizes.runs, self.start, self.end):
            self.add_run(repo, moment)
        self.leave_runs_open(repo)
        for moment in self.moments(self.sizes.deployments, self.start, self.end - DAY):
            self.add_deployment(repo, moment)
        for moment in self.moments(self.sizes.releases, self.start, self.end):
            self.add_release(repo, moment)
        repo.updated = self.end

    def make_commits(self, family, count, start, end, parent):
        shas = []
        for index, moment in enumerate(self.moments(count, start, end)):
            shas.append(self.add_commit(family, index, moment, parent))
            parent = shas[-1]
        return shas

    def add_commit(self, family, index, moment, parent):
        sha = sha_of(self.sizes.seed, family, index)
        login = None if index % 11 == 7 else self.login()
        message = UNICODE_TEXTS[index % len(UNICODE_TEXTS)] if index % 13 == 5 else self.sentence()
        if index % 5 == 0:
            message += f"\n\nFixes #{index + 1}\r\n{self.sentence(10, 30)}"
        self.commits[sha] = {"sha": sha, "message": message, "login": login, "date": moment,
                             "parents": [parent] if parent else [], "additions": self.random.randint(0, 400),
                             "deletions": self.random.randint(0, 200)}
        return sha

    def add_milestones(self, repo):
        for index, moment in enumerate(self.moments(self.sizes.milestones, self.start, self.end)):
            closed = self.between(moment, self.end) if index % 2 else None
            repo.milestones[index + 1] = {
                "id": self.new_id("milestone"), "number": index + 1, "title": f"v1.{index} – {self.sentence(1, 3)}",
                "description": None if index % 3 == 0 else self.sentence(), "creator": self.login(),
                "created": moment, "updated": closed or self.between(moment, self.end), "closed": closed,
                "due": None if index % 4 == 1 else moment + 60 * DAY}

    def add_numbered(self, repo):
        kinds = ["issue"] * self.sizes.issues + ["pull"] * self.sizes.pulls
        self.random.shuffle(kinds)
        for kind, moment in zip(kinds, self.moments(len(kinds), self.start, self.end)):
            issue = self.add_issue(repo, moment)
            if kind == "pull":
                self.add_pull(repo, issue)
        self.add_peculiar(repo)

    def add_issue(self, repo, moment):
        number = repo.next_number
        repo.next_number += 1
        closed = self.between(moment, self.end) if self.random.random() < 0.6 else None
        assignees = self.random.sample(self.logins, self.random.choice((0, 0, 1, 1, 2, 3)))
        issue = {"id": self.new_id("issue"), "number": number, "title": self.sentence(), "body": self.body(),
                 "user": self.random.choice(self.authors), "labels": self.some_labels(), "assignees": assignees,
                 "milestone": self.random.choice(list(repo.milestones) + [None] * 4), "created": moment,
                 "state": "closed" if closed else "open", "closed": closed,
                 "updated": self.between(closed or moment, self.end), "comments": 0,
                 "reason": self.random.choice(("completed", "completed", "not_planned")) if closed else None,
                 "association": self.random.choice(ASSOCIATIONS), "is_pull": False}
        repo.issues[number] = issue
        return issue

    def body(self):
        return self.random.choice((f"{self.sentence(10, 40)}.\r\n\r\n- {self.sentence()}\r\n- `{self.words(2)}`",
                                   self.sentence(5, 20), f"## Steps\n\n1. {self.sentence()}\n2. {self.sentence()}\n"))

    def some_labels(self):
        return self.random.sample(LABELS, self.random.choice((0, 1, 1, 2, 3, 5)))

    def add_peculiar(self, repo):
        """Makes the first plain issues the awkward ones that every collector meets sooner or later."""
        changes = (
            {"body": None}, {"body": ""}, {"user": None},
            *({"title": text, "body": f"{text}\r\n{text}"} for text in UNICODE_TEXTS),
            {"body": "0123456789abcdef" * 12_800},
            {"title": "quote \" backslash \\ tab \t and </script>", "body": "nul \u0000 quote \" back \\ \\u0000 \x1f end"},
            {"labels": [], "assignees": [], "milestone": None},
            {"labels": list(LABELS), "assignees": self.logins[:10]}, {"user": "ghost-02", "assignees": ["ghost-02"]},
            {"title": "x" * 256, "labels": ["bug", "feat", "incident", "severity/critical", "severity/minor"]})
        plain = (issue for issue in list(repo.issues.values()) if not issue["is_pull"])
        for change, issue in zip(changes, plain):
            issue.update(change)

    def add_pull(self, repo, issue):
        number, moment = issue["number"], issue["created"]
        merged = issue["closed"] if issue["closed"] and self.random.random() < 0.75 else None
        count = self.random.choice((1, 1, 2, 3, 5)) if len(repo.pulls) % 40 != 9 else 35
        shas = self.make_commits(f"{repo.full_name}#{number}", count, moment - 3600, moment, None)
        issue.update(is_pull=True, reason=None, body=self.pull_body(repo, number))
        repo.pulls[number] = {
            "id": self.new_id("pull"), "number": number, "draft": not issue["closed"] and self.random.random() < 0.3,
            "merged": merged, "merger": self.login() if merged else None, "commits": shas, "pushes": 0,
            "merge_sha": sha_of(repo.full_name, number, "merge") if merged or not issue["closed"] else None,
            "head_ref": f"{self.random.choice(BRANCHES[3:])}-{number}", "base_ref": "main",
            "base_sha": self.random.choice(repo.commits) if repo.commits else sha_of("base", number),
            "fork_gone": len(repo.pulls) % 17 == 3, "reviewers": self.random.sample(self.logins, self.random.choice((0, 1, 2))),
            "additions": self.random.randint(0, 2000), "deletions": self.random.randint(0, 900),
            "changed_files": self.random.randint(1, 40)}
        repo.reachable.update(shas)

    def pull_body(self, repo, number):
        first, second = self.between(1, max(1, number - 1)), self.between(1, max(1, number - 1))
        return self.random.choice((
            None, self.body(), f"fixes #{first}", f"This closes: #{first}, #{second}\r\n", f"Resolve #{first}/#{second}",
            f"{self.sentence()}\r\n\r\nFixes https://github.com/{repo.full_name}/issues/{first}", "see also #0"))

    def add_comments(self, repo):
        numbers = list(repo.issues)
        for index, moment in enumerate(self.moments(self.sizes.comments if numbers else 0, self.start, self.end)):
            body = UNICODE_TEXTS[index % len(UNICODE_TEXTS)] if index % 10 == 4 else self.body()
            user = None if index % 29 == 11 else self.random.choice(self.authors)
            self.add_comment(repo, self.older_number(repo, numbers, moment), user, body, moment,
                             moment if index % 4 else self.between(moment, self.end))

    def older_number(self, repo, numbers, moment):
        """Any issue or pull request that existed at the moment, else the first one."""
        count = bisect.bisect_right(numbers, moment, key=lambda number: repo.issues[number]["created"])
        return numbers[self.random.randrange(max(count, 1))]

    def add_comment(self, repo, number, user, body, created, updated):
        key = self.new_id("comment")
        repo.comments[key] = {"id": key, "number": number, "user": user, "body": body, "created": created,
                              "updated": updated, "association": self.random.choice(ASSOCIATIONS)}
        repo.issues[number]["comments"] += 1
        return key

    def add_reviews(self, repo):
        numbers = list(repo.pulls)
        for moment in self.moments(self.sizes.reviews if numbers else 0, self.start, self.end):
            number = self.older_number(repo, numbers, moment)
            self.add_review(repo, number, self.random.choice(REVIEW_STATES), moment)
        for index, moment in enumerate(self.moments(self.sizes.review_comments if numbers else 0, self.start, self.end)):
            self.add_review_comment(repo, self.older_number(repo, numbers, moment), self.body(), moment, index)

    def add_review(self, repo, number, state, moment, body=None):
        key = self.new_id("review")
        repo.reviews.setdefault(number, []).append({
            "id": key, "number": number, "user": None if key % 23 == 4 else self.random.choice(self.authors),
            "state": state, "body": body or self.random.choice(("", "", self.sentence(), "LGTM 👍")),
            "submitted": None if state == "PENDING" else moment, "sha": repo.pulls[number]["commits"][-1]})
        return key

    def add_review_comment(self, repo, number, body, moment, index=0):
        key = self.new_id("review_comment")
        own_reviews = repo.reviews.get(number)
        repo.review_comments[key] = {
            "id": key, "number": number, "user": None if index % 19 == 9 else self.random.choice(self.authors),
            "body": body, "created": moment, "updated": moment if index % 3 else self.between(moment, self.end),
            "review": self.random.choice(own_reviews)["id"] if own_reviews else None, "line": self.random.randint(1, 900),
            "sha": repo.pulls[number]["commits"][-1], "association": self.random.choice(ASSOCIATIONS)}
        return key

    def add_events(self, repo):
        numbers = list(repo.issues)
        for index, moment in enumerate(self.moments(self.sizes.events if numbers else 0, self.start, self.end)):
            number = self.older_number(repo, numbers, moment)
            self.add_event(repo, number, EVENTS[index % len(EVENTS)], None if index % 17 == 6 else self.login(), moment)

    def add_event(self, repo, number, kind, actor, moment):
        key = self.new_id("event")
        repo.events[key] = {"id": key, "number": number, "event": kind, "actor": actor, "created": moment,
                            "label": self.random.choice(LABELS), "assignee": self.login(), "title": repo.issues[number]["title"],
                            "sha": sha_of(key) if kind in ("closed", "referenced", "merged") and key % 2 else None}
        return key

    def add_run(self, repo, created, conclusion=None, status="completed"):
        key = self.new_id("run")
        workflow = self.random.randrange(len(WORKFLOWS))
        repo.runs[key] = {
            "id": key, "workflow": workflow, "number": len(repo.runs) + 1, "branch": self.random.choice(BRANCHES),
            "sha": self.random.choice(repo.commits) if repo.commits else sha_of("head", key), "created": created,
            "event": self.random.choice(("push", "pull_request", "schedule", "workflow_dispatch")),
            "status": status, "conclusion": (conclusion or self.random.choice(CONCLUSIONS)) if status == "completed" else None,
            "updated": min(created + self.random.randint(30, 3000), max(created, self.end)),
            "attempt": self.random.choice((1, 1, 1, 1, 2, 3)), "actor": self.random.choice(self.authors)}
        return key

    def leave_runs_open(self, repo):
        """One run in twenty, the newest ones, has not completed yet."""
        newest = list(repo.runs.values())[len(repo.runs) - (len(repo.runs) + 19) // 20:]
        for index, run in enumerate(newest):
            run.update(status=("in_progress", "queued", "waiting")[index % 3], conclusion=None)

    def add_deployment(self, repo, moment):
        key = self.new_id("deployment")
        deployment = {"id": key, "sha": self.random.choice(repo.commits) if repo.commits else sha_of("deploy", key),
                      "ref": self.random.choice(BRANCHES), "env": self.random.choice(ENVIRONMENTS),
                      "creator": self.random.choice(self.authors), "created": moment, "updated": moment, "statuses": [],
                      "description": None if key % 2 else self.sentence()}
        repo.deployments[key] = deployment
        end = self.random.choice(("success", "success", "failure", "error", "inactive", None))
        for state in ("queued", "in_progress", *(("success",) if end == "inactive" else ()), *((end,) if end else ())):
            moment += self.random.randint(5, 900)
            self.add_status(deployment, state, moment)
        return key

    def add_status(self, deployment, state, moment):
        deployment["statuses"].append({"id": self.new_id("status"), "state": state, "created": moment,
                                       "creator": deployment["creator"]})
        deployment["updated"] = moment

    def add_release(self, repo, moment):
        key = self.new_id("release")
        index = len(repo.releases)
        draft = index % 7 == 6
        repo.releases[key] = {"id": key, "tag": f"v1.{index}.0" if index % 5 else f"nightly-{index}", "draft": draft,
                              "name": (f"Release 1.{index}", None, f"🚀 1.{index}")[index % 3], "prerelease": index % 4 == 3,
                              "body": None if index % 3 == 1 else f"## Änderungen\r\n* {self.sentence()}", "created": moment,
                              "published": None if draft else min(moment + 600, max(moment, self.end)), "author": self.login()}
        return key

    def label_id(self, repo, name):
        key = (repo.id, name)
        if key not in self.label_ids:
            self.label_ids[key] = ID_BASES["label"] + int(sha_of(*key)[:8], 16)
        return self.label_ids[key]
