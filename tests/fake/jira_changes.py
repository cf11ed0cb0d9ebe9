"""Change instructions: what happens on the invented Jira between two collections.

An instruction is {"op": <a public method of Changes>, ...arguments}; `issue` is a key or an id, and without it the first
issue. Each stamps what it touches with the clock's now, as Jira does, and answers {op, now} and the ids of what it made.
What does not make an issue newer in Jira (a renamed user, a closed sprint, a commit in the panel) does not here.
"""

import inspect

from instructions import Instructions
from invented import iso, parse_time
from jira_malformed import KINDS

EDITABLE = {"summary", "description", "reporter", "due", "components", "versions", "estimate", "epic", "parent"}


class Changes(Instructions):
    def apply(self, instruction):
        op, method, arguments = self._chosen(instruction)
        if "issue" in inspect.signature(method).parameters:
            arguments["issue"] = self._issue(arguments.get("issue"))
        if op != "clock":
            self.world.clock.step()
        self.now = self.world.now()
        result = method(**arguments) or {}
        return {"op": op, "now": iso(self.world.clock.now()), **result}

    def _issue(self, key):
        if key is None:
            return next(iter(self.world.issues.values()))
        return self.world.issues[key if isinstance(key, int) else self.world.keys[key]]

    # ---- issues

    def add_issue(self, project="ALPHA", kind=10004, count=1, **fields):
        made = [self._new_issue(project, kind, fields) for _ in range(count)]
        return {"ids": [issue["id"] for issue in made], "keys": [self.world.key_of(issue) for issue in made]}

    def _new_issue(self, project, kind, fields):
        issue = self.world.add_issue(project, kind, self.now)
        self._edit(issue, fields)
        return issue

    def update_issue(self, issue, **fields):
        self._edit(issue, fields)
        items = [(name, "jira", name, None, None, None, str(value)) for name, value in fields.items()]
        self.world.record(issue, self.now, *items)

    def _edit(self, issue, fields):
        if set(fields) - EDITABLE:
            raise ValueError(f"not editable: {sorted(set(fields) - EDITABLE)}")
        issue.update(fields)

    def transition(self, issue, status=10002):
        self.world.set_status(issue, status, self.now)

    def assign(self, issue, user=None):
        self.world.set_person(issue, "assignee", user, self.now)

    def relabel(self, issue, labels):
        self.world.set_labels(issue, labels, self.now)

    def set_points(self, issue, points):
        self.world.set_points(issue, points, self.now)

    def plan(self, issue, sprints):
        self.world.set_sprints(issue, sprints, self.now)

    def retype(self, issue, kind):
        old, new = self.world.types[issue["type"]], self.world.types[kind]
        issue["type"] = kind
        self.world.record(issue, self.now, ("issuetype", "jira", "issuetype", old["id"], old["name"], new["id"], new["name"]))

    def add_history(self, issue, count=1):
        for _ in range(count):
            self.world.reassign(issue, self.now)

    def link_issues(self, issue, to, kind=10000):
        other = self._issue(to)
        self.world.link(issue, other, kind)
        for one, end in ((issue, other), (other, issue)):
            key = self.world.key_of(end)
            self.world.record(one, self.now, ("Link", "jira", "", None, None, key, f"This issue is linked to {key}"))

    def unlink(self, issue):
        """Takes the issue's first link away; that makes both ends newer."""
        gone = issue["links"][0]["id"]
        for other in self.world.issues.values():
            kept = [link for link in other["links"] if link["id"] != gone]
            if len(kept) < len(other["links"]):
                other["links"] = kept
                self.world.touch(other, self.now)

    def delete_issue(self, issue):
        """The issue and its sub-tasks leave every list; what linked to it does not become newer."""
        for key in issue["children"]:
            if key in self.world.issues:
                self.delete_issue(self.world.issues[key])
        del self.world.issues[issue["id"]]
        for other in self.world.issues.values():
            other["links"] = [link for link in other["links"] if issue["id"] not in (link.get("inward"), link.get("outward"))]
        return {"id": issue["id"]}

    def move_issue(self, issue, project):
        """To another project: a new key, the same id, the old key still leads to it."""
        old, record = self.world.key_of(issue), self.world.projects[project]
        issue.update(project=project, number=record["next"], components=[], versions=[])
        record["next"] += 1
        key = self.world.key_of(issue)
        self.world.keys[key] = issue["id"]
        self.world.record(issue, self.now, ("Key", "jira", "", None, old, None, key))
        return {"key": key, "id": issue["id"]}

    # ---- what hangs on issues

    def add_comment(self, issue, body="A new comment", count=1):
        return {"ids": [self.world.add_comment(issue, self.world.person(), body, self.now) for _ in range(count)]}

    def edit_comment(self, issue, body="An edited comment"):
        issue["comments"][0].update(body=body, updated=self.now)
        self.world.touch(issue, self.now)
        return {"id": issue["comments"][0]["id"]}

    def delete_comment(self, issue):
        self.world.touch(issue, self.now)
        return {"id": issue["comments"].pop(0)["id"]}

    def add_worklog(self, issue, seconds=3600, count=1):
        return {"ids": [self.world.add_worklog(issue, self.world.person(), seconds, self.now) for _ in range(count)]}

    def edit_worklog(self, issue, seconds=7200):
        issue["worklogs"][0].update(seconds=seconds, updated=self.now)
        self.world.touch(issue, self.now)
        return {"id": issue["worklogs"][0]["id"]}

    def delete_worklog(self, issue):
        self.world.touch(issue, self.now)
        return {"id": issue["worklogs"].pop(0)["id"]}

    def add_remotelink(self, issue, url=None):
        return {"id": self.world.add_remotelink(issue, self.now, url)}

    def delete_remotelink(self, issue):
        self.world.touch(issue, self.now)
        return {"id": issue["remotelinks"].pop(0)["id"]}

    def add_commit(self, issue):
        """Into the development panel; that does not make the issue newer."""
        return {"sha": self.world.add_commit(issue, self.now)}

    # ---- boards and sprints

    def add_sprint(self, board=1, name="A new sprint"):
        return {"id": self.world.add_sprint(board, name)}

    def start_sprint(self, sprint):
        self.world.sprints[sprint].update(state="active", start=self.now, end=self.now + 14 * 86_400_000)

    def close_sprint(self, sprint):
        self.world.sprints[sprint].update(state="closed", completed=self.now)

    def rename_sprint(self, sprint, name):
        self.world.sprints[sprint].update(name=name)

    def delete_sprint(self, sprint):
        """Its issues lose it; that makes them newer."""
        for issue in self.world.issues.values():
            if sprint in issue["sprints"]:
                self.world.set_sprints(issue, [key for key in issue["sprints"] if key != sprint], self.now)
        del self.world.sprints[sprint]

    def rename_board(self, board, name):
        self.world.boards[board]["name"] = name

    def delete_board(self, board):
        del self.world.boards[board]

    def set_jql(self, board, jql):
        self.world.filters[self.world.boards[board]["filter"]]["jql"] = jql

    def hide_filter(self, board, hidden=True):
        self.world.filters[self.world.boards[board]["filter"]]["hidden"] = hidden

    # ---- catalogues and people

    def add_user(self):
        index = len(self.world.users)
        self.world.add_user(index)
        return {"user": max(self.world.users)}

    def rename_user(self, user, display):
        self.world.users[user]["display"] = display

    def delete_user(self, user):
        self.world.users[user].update(gone=True, active=False)

    def rename_status(self, status, name):
        self.world.statuses[status]["name"] = name

    def add_status(self, name, category="indeterminate"):
        key = max(self.world.statuses) + 1
        self.world.statuses[key] = {"id": key, "name": name, "category": category}
        return {"id": key}

    def rename_type(self, kind, name):
        self.world.types[kind]["name"] = name

    def set_zone(self, zone):
        """The asking user's zone: every time in every answer is written anew."""
        self.world.zone = zone

    # ---- troubles

    def malformed(self, count=1, kind=KINDS, project=None):
        """Spoils the first `count` issues (0: none any more), one kind after the other."""
        kinds = [kind] if isinstance(kind, str) else list(kind)
        if set(kinds) - set(KINDS):
            raise ValueError(f"kind is not one of {', '.join(KINDS)}")
        found = [issue["id"] for issue in self.world.issues.values() if project in (None, issue["project"])][:count]
        self.world.malformed = {key: kinds[index % len(kinds)] for index, key in enumerate(found)}
        return {"ids": found}

    def clock(self, now=None):
        """Sets the clock; without a time it is the real one."""
        self.world.clock.fixed = parse_time(now) if now else None
