"""Change instructions: what happens on the invented GitHub between two collections.

An instruction is {"op": <a public method of Changes>, "repo": "owner/name" (default: the first), ...arguments}. Each
stamps what it touches with the clock's now and answers {op, now} and the ids or numbers of what it made.
"""

import inspect

from github_malformed import KINDS
from instructions import Instructions
from invented import DAY, iso, parse_time

EDITABLE = {"title", "body", "state", "labels", "assignees", "milestone", "user", "reason"}


class Changes(Instructions):
    def apply(self, instruction):
        op, method, arguments = self._chosen(instruction)
        if "repo" in inspect.signature(method).parameters:
            arguments["repo"] = self._repo(arguments.get("repo"))
        if op != "clock":
            self.world.clock.step()
        self.now = self.world.clock.now()
        result = method(**arguments) or {}
        return {"op": op, "now": iso(self.world.clock.now()), **result}

    def _repo(self, name):
        return next(iter(self.world.repos.values())) if name is None else self.world.repos[name.lower()]

    def _touch(self, repo, number):
        repo.issues[number]["updated"] = self.now

    # ---- issues

    def update_issue(self, repo, number, fields=None, **more):
        changes = {**(fields or {}), **more}
        if set(changes) - EDITABLE:
            raise ValueError(f"not editable: {sorted(set(changes) - EDITABLE)}")
        issue = repo.issues[number]
        if changes.get("state", issue["state"]) != issue["state"]:
            self._set_state(repo, issue, changes["state"])
        issue.update(changes)
        self._touch(repo, number)

    def _set_state(self, repo, issue, state):
        closed = state == "closed"
        issue.update(state=state, closed=self.now if closed else None,
                     reason="completed" if closed and not issue["is_pull"] else None)
        self.world.add_event(repo, issue["number"], "closed" if closed else "reopened", self.world.login(), self.now)

    def add_issue(self, repo, count=1, **fields):
        if set(fields) - EDITABLE:
            raise ValueError(f"not editable: {sorted(set(fields) - EDITABLE)}")
        made = [self._new_issue(repo, fields) for _ in range(count)]
        return {"number": made[-1]["number"], "numbers": [issue["number"] for issue in made], "id": made[-1]["id"]}

    def _new_issue(self, repo, fields):
        issue = self.world.add_issue(repo, self.now)
        issue.update(state="open", closed=None, reason=None, created=self.now, updated=self.now)
        issue.update(fields)
        return issue

    def delete_issue(self, repo, number):
        """The issue and all that hangs on it leave every list; GET of it answers 410."""
        if repo.issues.pop(number)["is_pull"]:
            repo.pulls.pop(number)
        repo.reviews.pop(number, None)
        repo.deleted_issues.add(number)
        for stream in ("comments", "review_comments", "events"):
            records = getattr(repo, stream)
            setattr(repo, stream, {key: record for key, record in records.items() if record["number"] != number})

    def transfer(self, repo, number, to):
        """The issue gets a new number and id in the other repository; its comments move along."""
        issue = repo.issues[number]
        target = self._repo(to)
        moved = self._new_issue(target, {name: issue[name] for name in EDITABLE - {"milestone"}})
        moved.update(created=issue["created"], closed=issue["closed"], milestone=None)
        for comment in [record for record in repo.comments.values() if record["number"] == number]:
            self.world.add_comment(target, moved["number"], comment["user"], comment["body"], comment["created"], self.now)
        self.delete_issue(repo, number)
        return {"number": moved["number"], "id": moved["id"]}

    def add_label(self, repo, number, label):
        self._relabel(repo, number, repo.issues[number]["labels"] + [label], "labeled")

    def remove_label(self, repo, number, label=None):
        labels = list(repo.issues[number]["labels"])
        labels.remove(labels[0] if label is None else label)
        self._relabel(repo, number, labels, "unlabeled")

    def _relabel(self, repo, number, labels, event):
        repo.issues[number]["labels"] = labels
        self.world.add_event(repo, number, event, self.world.login(), self.now)
        self._touch(repo, number)

    def add_comment(self, repo, number, body="A new comment", user=None):
        key = self.world.add_comment(repo, number, user or self.world.login(), body, self.now, self.now)
        self._touch(repo, number)
        return {"id": key}

    def edit_comment(self, repo, id=None, body="An edited comment"):
        comment = repo.comments[id if id is not None else next(iter(repo.comments))]
        comment.update(body=body, updated=self.now)
        return {"id": comment["id"]}

    def delete_comment(self, repo, id):
        number = repo.comments.pop(id)["number"]
        repo.issues[number]["comments"] -= 1
        self._touch(repo, number)

    def add_event(self, repo, number, event="labeled", actor=None):
        return {"id": self.world.add_event(repo, number, event, actor, self.now)}

    def add_milestone(self, repo, title="A new milestone"):
        number = max(repo.milestones, default=0) + 1
        repo.milestones[number] = {"id": self.world.new_id("milestone"), "number": number, "title": title,
                                   "description": None, "creator": self.world.login(), "created": self.now,
                                   "updated": self.now, "closed": None, "due": None}
        return {"number": number}

    def close_milestone(self, repo, number):
        repo.milestones[number].update(closed=self.now, updated=self.now)

    def delete_milestone(self, repo, number):
        """Its issues lose it; as on GitHub that does not make them newer."""
        gone = repo.milestones.pop(number)
        for issue in repo.issues.values():
            if issue["milestone"] == number:
                issue["milestone"] = None
        return {"id": gone["id"]}

    # ---- pull requests

    def add_pull(self, repo, draft=False, **fields):
        issue = self._new_issue(repo, {})
        self.world.add_pull(repo, issue)
        issue.update(fields)
        repo.pulls[issue["number"]]["draft"] = draft
        return {"number": issue["number"], "id": repo.pulls[issue["number"]]["id"]}

    def merge_pull(self, repo, number):
        pull, issue = repo.pulls[number], repo.issues[number]
        self._set_state(repo, issue, "closed")
        pull.update(merged=self.now, merger=self.world.login(), draft=False, merge_sha=self._push(repo, number))
        self.world.add_event(repo, number, "merged", pull["merger"], self.now)
        self._touch(repo, number)
        return {"merge_commit_sha": pull["merge_sha"]}

    def close_pull(self, repo, number):
        self._set_state(repo, repo.issues[number], "closed")
        self._touch(repo, number)

    def push_pull(self, repo, number, commits=2):
        """A forced push: all earlier commits of the pull request are replaced."""
        pull = repo.pulls[number]
        pull["pushes"] += 1
        family = f"{repo.full_name}#{number}/{pull['pushes']}"
        pull["commits"] = self.world.make_commits(family, commits, self.now - 600, self.now, None)
        repo.reachable.update(pull["commits"])
        self._touch(repo, number)
        return {"commits": pull["commits"]}

    def add_review(self, repo, number, state="APPROVED", body=None):
        key = self.world.add_review(repo, number, state, self.now, body)
        self._touch(repo, number)
        return {"id": key}

    def add_review_comment(self, repo, number, body="A new review comment"):
        key = self.world.add_review_comment(repo, number, body, self.now, 1)
        self._touch(repo, number)
        return {"id": key}

    # ---- commits, actions, deployments, releases

    def add_commits(self, repo, n=1):
        return {"commits": [self._push(repo, "main") for _ in range(n)]}

    def _push(self, repo, reason):
        parent = repo.commits[-1] if repo.commits else None
        sha = self.world.add_commit(f"{repo.full_name}/{reason}", len(repo.commits), self.now, parent)
        repo.commits.append(sha)
        repo.reachable.add(sha)
        repo.updated = self.now
        return sha

    def add_runs(self, repo, n=1, status="completed", conclusion="success"):
        keys = [self.world.add_run(repo, self.now, conclusion, status) for _ in range(n)]
        return {"ids": keys}

    def complete_runs(self, repo, conclusion="success", id=None):
        ended = [run for run in repo.runs.values() if run["status"] != "completed" and id in (None, run["id"])]
        for run in ended:
            run.update(status="completed", conclusion=conclusion, updated=self.now)
        return {"ids": [run["id"] for run in ended]}

    def rerun(self, repo, id):
        """The run starts again as its next attempt and is in progress; GitHub allows that for 30 days."""
        run = repo.runs[id]
        if self.now - run["created"] > 30 * DAY:
            raise ValueError(f"run {id} is too old for a new attempt")
        run.update(status="in_progress", conclusion=None, updated=self.now, attempt=run["attempt"] + 1)

    def delete_run(self, repo, id):
        repo.runs.pop(id)

    def add_deployment(self, repo, env="production"):
        key = self.world.add_deployment(repo, self.now)
        repo.deployments[key].update(env=env, statuses=[], updated=self.now)
        return {"id": key}

    def add_deployment_status(self, repo, id=None, state="success"):
        deployment = repo.deployments[id if id is not None else next(reversed(repo.deployments))]
        self.world.add_status(deployment, state, self.now)
        return {"id": deployment["statuses"][-1]["id"], "deployment": deployment["id"]}

    def add_release(self, repo):
        return {"id": self.world.add_release(repo, self.now)}

    def delete_release(self, repo, id):
        repo.releases.pop(id)

    # ---- the rest

    def delete_user(self, login):
        """GET /users/{login} answers 404 from now on; old items still name the user."""
        self.world.users[login]
        self.world.gone_users.add(login)

    def update_user(self, login, **fields):
        self.world.users[login].update(fields, updated=self.now)

    def clock(self, now=None):
        """Sets the clock (never beyond real time); without `now` it follows real time again."""
        self.world.clock.fixed = None if now is None else parse_time(now)

    def malformed(self, repo, stream, count, kind=None):
        """The `count` oldest items of a stream are sent malformed, of one kind or in rotating kinds; count 0 heals it."""
        kinds = KINDS if kind is None else [kind] if isinstance(kind, str) else kind
        if not set(kinds) <= set(KINDS):
            raise ValueError(f"kind is one of {', '.join(KINDS)}")
        keys = self._keys(repo, stream)[:count]
        repo.malformed[stream] = {key: kinds[index % len(kinds)] for index, key in enumerate(keys)}
        return {"ids": keys}

    def _keys(self, repo, stream):
        """Record ids of a stream named as in its path, e.g. issues/comments; pulls go by the id of their issue."""
        issues = repo.issues.values()
        known = {"issues": lambda: [issue["id"] for issue in issues], "issues/comments": lambda: list(repo.comments),
                 "issues/events": lambda: list(repo.events), "pulls/comments": lambda: list(repo.review_comments),
                 "pulls": lambda: [issue["id"] for issue in issues if issue["is_pull"]],
                 "pulls/reviews": lambda: [review["id"] for reviews in repo.reviews.values() for review in reviews],
                 "milestones": lambda: [milestone["id"] for milestone in repo.milestones.values()],
                 "actions/runs": lambda: list(repo.runs), "deployments": lambda: list(repo.deployments),
                 "releases": lambda: list(repo.releases)}
        if stream not in known:
            raise ValueError(f"stream is one of {', '.join(known)}")
        return known[stream]()
