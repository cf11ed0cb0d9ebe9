"""The invented Jira world: compact records of users, projects, boards, filters, sprints, issues and what hangs on them.

Same sizes, seed and now, same world. Times are epoch milliseconds and never later than now. A record keeps facts only;
jira_render.py turns it into the payloads of Cloud or Data Center. An issue keeps its id for life, its key changes when
it moves to another project.
"""

import dataclasses
import random
import uuid

from invented import DAY, UNICODE_TEXTS, WORDS, sha_of

DAY_MS = DAY * 1000
CATEGORIES = {"undefined": (1, "No Category", "medium-gray"), "new": (2, "To Do", "blue-gray"),
              "done": (3, "Done", "green"), "indeterminate": (4, "In Progress", "yellow")}
STATUSES = ((1, "Open", "new"), (3, "In Progress", "indeterminate"), (10001, "In Review", "indeterminate"),
            (10002, "Done", "done"), (10003, "Selected for Development", "new"), (10004, "待处理", "new"),
            (10005, "Won't Do", "done"), (10006, "Weiß nicht", "undefined"))
FLOW = (10003, 3, 10001, 10002)
TYPES = ((10000, "Epic", False), (10001, "Story", False), (10002, "Task", False), (10003, "Sub-task", True),
         (10004, "Bug", False), (10005, "Vorfall", False))
PRIORITIES = ((1, "Highest"), (2, "High"), (3, "Medium"), (4, "Low"), (5, "Lowest"))
LABELS = ("backend", "frontend", "tech-debt", "größe", "緊急", "needs-info", "a.b_c")
COMPONENTS = ("API", "Web, mobile", "Speicher")
LINK_TYPES = ((10000, "Blocks", "is blocked by", "blocks"), (10001, "Cloners", "is cloned by", "clones"),
              (10003, "Relates", "relates to", "relates to"))
SPRINT_FIELD, POINTS_FIELD, EPIC_FIELD = "customfield_10020", "customfield_10016", "customfield_10014"
REVIEWER_FIELD, TEXT_POINTS_FIELD, DUE_FIELD = "customfield_10040", "customfield_10041", "customfield_10042"
PROJECTS = ("ALPHA", "BETA", "GAMMA")


@dataclasses.dataclass
class Sizes:
    """`issues` and `sprints` are per project and scrum board; projects beyond the third are named P4, P5..."""
    seed: int = 1
    projects: int = 3
    boards: int = 4
    users: int = 12
    issues: int = 40
    sprints: int = 5
    histories: int = 4
    comments: int = 2
    worklogs: int = 2
    long: int = 130
    days: int = 400


class World:
    def __init__(self, sizes, clock):
        self.sizes = sizes
        self.clock = clock
        self.random = random.Random(sizes.seed)
        self.zone = "Europe/Berlin"
        self.last_ids = {"issue": 10_000, "history": 20_000, "comment": 30_000, "worklog": 40_000, "remotelink": 50_000,
                         "link": 60_000, "sprint": 0, "user": 0}
        self.users, self.projects, self.boards, self.filters, self.sprints, self.issues = {}, {}, {}, {}, {}, {}
        self.keys = {}
        self.statuses = {key: {"id": key, "name": name, "category": category} for key, name, category in STATUSES}
        self.types = {key: {"id": key, "name": name, "subtask": subtask} for key, name, subtask in TYPES}
        self.malformed = {}
        self.build()

    def new_id(self, kind):
        self.last_ids[kind] += 1
        return self.last_ids[kind]

    def now(self):
        return self.clock.now() * 1000

    def sentence(self, least=3, most=9):
        return " ".join(self.random.choices(WORDS, k=self.random.randint(least, most))).capitalize()

    def category_names(self, status):
        category = self.statuses[status]["category"]
        return [category, CATEGORIES[category][1]]

    def person(self):
        return self.random.choice(self.people)

    def between(self, start, end):
        return self.random.randint(start, max(start, end))

    # ---- construction

    def build(self):
        self.end = self.now() - 600_000
        self.start = self.end - self.sizes.days * DAY_MS
        for index in range(max(self.sizes.users, 4)):
            self.add_user(index)
        self.people = list(self.users)
        self.users[self.people[-1]].update(active=False)
        self.users[self.people[-2]].update(active=False, gone=True)
        self.me = self.people[0]
        for index in range(self.sizes.projects):
            key = PROJECTS[index] if index < len(PROJECTS) else f"P{index + 1}"
            self.projects[key] = {"id": 10_000 + index, "key": key, "name": f"Project {key.capitalize()} – α{index}",
                                  "next": 1, "versions": [f"{index}.1", f"{index}.2 β"]}
        for index in range(self.sizes.boards):
            self.add_board(index)
        for key in self.projects:
            self.fill_project(key)
        self.cross_epics()

    def add_user(self, index):
        name = f"dev-{index + 1:02d}"
        unique = uuid.UUID(sha_of("user", self.sizes.seed, index)[:32])
        key = self.new_id("user")
        self.users[key] = {
            "account_id": f"712020:{unique}" if index % 2 else sha_of("old", index)[:24], "key": f"JIRAUSER{10_100 + key}",
            "name": name, "display": (f"Developer {index}", UNICODE_TEXTS[index % len(UNICODE_TEXTS)])[index % 3 == 2],
            "email": None if index % 4 == 3 else f"{name}@example.com", "active": True, "gone": False,
            "zone": ("Europe/Berlin", "Asia/Tokyo", "America/New_York")[index % 3]}

    def add_board(self, index):
        """Scrum, kanban and team-managed boards by turns; some over two projects, some with traps in their JQL."""
        keys = list(self.projects)
        own = keys[index % len(keys)]
        wide = index >= len(keys) and len(keys) > 1
        jql = (f"project = {own} ORDER BY Rank ASC", f'project = "{own}" order by created DESC, key ASC',
               f'project = {own} AND summary !~ "order by" ORDER BY updated')[index % 3]
        if wide:
            jql = f"project in ({own}, {keys[(index + 1) % len(keys)]}) ORDER BY Rank ASC"
        board, filter_id = index + 1, 10_000 + index
        self.filters[filter_id] = {"id": filter_id, "name": f"Filter for {own} {board}", "jql": jql, "hidden": False}
        self.boards[board] = {"id": board, "name": f"{own} board {board} 看板", "project": own, "filter": filter_id,
                              "type": ("scrum", "kanban", "simple")[index % 3 if not wide else 0]}
        if self.boards[board]["type"] != "kanban":
            self.add_sprints(board)

    def add_sprints(self, board):
        length = (self.end - self.start) // max(self.sizes.sprints, 1)
        for index in range(self.sizes.sprints):
            state = "future" if index == self.sizes.sprints - 1 else "active" if index == self.sizes.sprints - 2 else "closed"
            start = self.start + index * length
            self.add_sprint(board, f"Sprint {index + 1}: {self.sentence(1, 2)}", state, start, start + length)

    def add_sprint(self, board, name, state="future", start=None, end=None):
        key = self.new_id("sprint")
        dated = state != "future"
        self.sprints[key] = {"id": key, "board": board, "name": name, "state": state, "created": start or self.now(),
                             "start": start if dated else None, "end": end if dated else None,
                             "completed": end if state == "closed" else None, "goal": "" if key % 2 else self.sentence()}
        return key

    def sprints_of(self, project):
        return [sprint for sprint in self.sprints.values() if self.boards[sprint["board"]]["project"] == project]

    def fill_project(self, project):
        own_sprints = self.sprints_of(project)
        step = (self.end - self.start) / max(self.sizes.issues, 1)
        made = []
        for index in range(self.sizes.issues):
            moment = int(self.start + step * (index + self.random.random() * 0.9))
            kind = 10000 if index % 20 == 0 else 10003 if index % 9 == 5 else self.random.choice((10001, 10002, 10004, 10005))
            issue = self.add_issue(project, kind, moment)
            self.live(issue, made, own_sprints)
            made.append(issue)
        self.add_peculiar(made)

    def cross_epics(self):
        """In each project an issue whose epic is in the next one, so on no board of its own."""
        epics = {issue["project"]: issue["id"] for issue in self.issues.values() if issue["type"] == 10000}
        order = list(self.projects)
        for place, project in enumerate(order):
            stories = [issue for issue in self.issues.values() if issue["project"] == project and issue["type"] == 10001]
            if len(order) > 1 and epics and stories:
                stories[-1]["epic"] = epics[order[(place + 1) % len(order)]]

    def add_issue(self, project, kind, moment):
        record = self.projects[project]
        key = self.new_id("issue")
        issue = {"id": key, "project": project, "number": record["next"], "type": kind, "status": 1, "resolution": None,
                 "resolved": None, "summary": self.sentence(), "description": self.text(), "reporter": self.person(),
                 "creator": self.person(), "assignee": None, "reviewer": None, "priority": 3, "labels": [], "components": [],
                 "versions": [], "created": moment, "updated": moment, "due": None, "points": None, "parent": None,
                 "epic": None, "sprints": [], "links": [], "comments": [], "worklogs": [], "histories": [],
                 "remotelinks": [], "commits": [], "estimate": None, "children": []}
        record["next"] += 1
        self.issues[key] = issue
        self.keys[self.key_of(issue)] = key
        return issue

    @staticmethod
    def key_of(issue):
        return f"{issue['project']}-{issue['number']}"

    def text(self):
        return self.random.choice((None, "", f"{self.sentence(10, 40)}.\n\n* {self.sentence()}\n* {self.sentence()}",
                                   f"{self.sentence()}\r\n{self.sentence(20, 60)}", f"h2. {self.sentence()}\n{{code}}x{{code}}"))

    def live(self, issue, older, sprints):
        """The issue's life until the world's end: its history, and what was written about it."""
        moment = self.relate(issue, older)
        for _ in range(self.between(0, self.sizes.histories * 2)):
            moment = min(moment + self.between(60_000, 9 * DAY_MS), self.end)
            self.random.choice((self.advance, self.advance, self.reassign, self.relabel, self.reprioritise, self.review,
                                self.point, lambda issue, moment: self.replan(issue, moment, sprints)))(issue, moment)
        for _ in range(self.between(0, self.sizes.comments * 2)):
            self.add_comment(issue, self.person(), self.text() or "ok", self.between(issue["created"], self.end))
        for _ in range(self.between(0, self.sizes.worklogs * 2)):
            self.add_worklog(issue, self.person(), self.between(60, 30_000), self.between(issue["created"], self.end))
        if issue["id"] % 4 == 1:
            self.add_remotelink(issue, moment)
        if issue["id"] % 3 == 1:
            self.add_commit(issue, moment)
        if issue["id"] % 5 == 2:
            issue.update(due=self.between(issue["created"], self.end) // DAY_MS * DAY_MS, estimate=self.between(600, 90_000))

    def relate(self, issue, older):
        plain = [other for other in older if not self.types[other["type"]]["subtask"] and other["type"] != 10000]
        epics = [other for other in older if other["type"] == 10000]
        if self.types[issue["type"]]["subtask"]:
            parent = self.random.choice(plain or older)
            issue["parent"] = parent["id"]
            parent["children"].append(issue["id"])
        elif epics and issue["type"] != 10000 and self.random.random() < 0.5:
            issue["epic"] = self.random.choice(epics)["id"]
        if plain and self.random.random() < 0.2:
            self.link(issue, self.random.choice(plain), self.random.choice(LINK_TYPES)[0])
        issue["components"] = self.random.sample(COMPONENTS, self.random.choice((0, 0, 1, 2)))
        issue["versions"] = self.random.sample(self.projects[issue["project"]]["versions"], self.random.choice((0, 0, 1, 2)))
        return issue["created"]

    def add_peculiar(self, issues):
        """Makes some issues the awkward ones that every collector meets sooner or later."""
        changes = ({"description": None, "reporter": None}, {"creator": None, "assignee": None}, {"priority": None},
                   *({"summary": text, "description": f"{text}\r\n{text}"} for text in UNICODE_TEXTS),
                   {"summary": 'order by "quoted" \\ and \t tab', "description": "nul \u0000 quote \" back \\ end\n"},
                   {"description": "0123456789abcdef" * 12_800}, {"labels": list(LABELS), "components": list(COMPONENTS)},
                   {"reporter": self.people[-2], "assignee": self.people[-2]}, {"status": 10006}, {"points": 0.5})
        for change, issue in zip(changes, issues[1:]):
            issue.update(change)
        for issue in issues[len(changes) + 1:len(changes) + 2]:
            self.make_long(issue)

    def make_long(self, issue):
        """More of everything than any embedded list shows."""
        for index in range(self.sizes.long):
            moment = min(issue["created"] + index * 60_000, self.end)
            self.reassign(issue, moment)
            self.add_comment(issue, self.person(), f"Comment {index}", moment)
            self.add_worklog(issue, self.person(), 60 * (index + 1), moment)

    # ---- single facts, used by construction and by changes

    def record(self, issue, moment, *items, author=None):
        """One entry of the change log; an item is (field, kind, field id, from, from text, to, to text)."""
        entry = {"id": self.new_id("history"), "author": author or self.person(), "created": moment, "items": list(items)}
        issue["histories"].append(entry)
        self.touch(issue, moment)

    @staticmethod
    def touch(issue, moment):
        issue["updated"] = max(issue["updated"], moment)

    def set_status(self, issue, status, moment):
        old, new = self.statuses[issue["status"]], self.statuses[status]
        items = [("status", "jira", "status", old["id"], old["name"], new["id"], new["name"])]
        done = new["category"] == "done"
        if done != (issue["resolution"] is not None):
            names = ((None, None), ("10000", "Done"))
            items.append(("resolution", "jira", "resolution", *names[not done], *names[done]))
            issue.update(resolution="Done" if done else None, resolved=moment if done else None)
        issue["status"] = status
        self.record(issue, moment, *items)

    def advance(self, issue, moment):
        place = FLOW.index(issue["status"]) if issue["status"] in FLOW else -1
        self.set_status(issue, FLOW[(place + 1) % len(FLOW)], moment)

    def set_person(self, issue, field, person, moment):
        old = issue[field]
        shown = ("Reviewer", "custom", REVIEWER_FIELD) if field == "reviewer" else (field, "jira", field)
        issue[field] = person
        # Persons stand here by number, as what Jira calls them depends on the deployment; the shown names stay as they were.
        sides = [side for who in (old, person) for side in (("user", who), who and self.users[who]["display"])]
        self.record(issue, moment, (*shown, *sides))

    def reassign(self, issue, moment):
        self.set_person(issue, "assignee", self.random.choice((*self.people, None)), moment)

    def review(self, issue, moment):
        self.set_person(issue, "reviewer", self.person(), moment)

    def set_labels(self, issue, labels, moment):
        old, issue["labels"] = issue["labels"], list(labels)
        self.record(issue, moment, ("labels", "jira", "labels", None, " ".join(old), None, " ".join(labels)))

    def relabel(self, issue, moment):
        self.set_labels(issue, self.random.sample(LABELS, self.random.choice((0, 1, 2, 3))), moment)

    def reprioritise(self, issue, moment):
        new, old = self.random.choice(PRIORITIES), next((p for p in PRIORITIES if p[0] == issue["priority"]), (None, None))
        issue["priority"] = new[0]
        self.record(issue, moment, ("priority", "jira", "priority", old[0], old[1], new[0], new[1]))

    def point(self, issue, moment):
        self.set_points(issue, self.random.choice((1, 2, 3, 5, 8, 0.5, None)), moment)

    def set_points(self, issue, points, moment):
        old, issue["points"] = issue["points"], points
        self.record(issue, moment, ("Story Points", "custom", POINTS_FIELD, None, text_of(old), None, text_of(points)))

    def set_sprints(self, issue, sprints, moment):
        sides = []
        for keys in (issue["sprints"], sprints):
            known = [self.sprints[key]["name"] for key in keys if key in self.sprints]
            sides += [", ".join(map(str, keys)), ", ".join(known)]
        issue["sprints"] = list(sprints)
        self.record(issue, moment, ("Sprint", "custom", SPRINT_FIELD, *sides))

    def replan(self, issue, moment, sprints):
        started = [sprint["id"] for sprint in sprints if sprint["created"] <= moment and sprint["id"] not in issue["sprints"]]
        if started:
            self.set_sprints(issue, [*issue["sprints"], started[-1]], moment)

    def link(self, issue, other, kind):
        key = self.new_id("link")
        issue["links"].append({"id": key, "type": kind, "outward": other["id"]})
        other["links"].append({"id": key, "type": kind, "inward": issue["id"]})

    def add_comment(self, issue, author, body, moment):
        key = self.new_id("comment")
        issue["comments"].append({"id": key, "author": author, "body": body, "created": moment, "updated": moment})
        self.touch(issue, moment)
        return key

    def add_worklog(self, issue, author, seconds, moment):
        key = self.new_id("worklog")
        issue["worklogs"].append({"id": key, "author": author, "seconds": seconds, "created": moment, "updated": moment,
                                  "started": moment - seconds * 1000, "comment": self.text()})
        self.touch(issue, moment)
        return key

    def add_remotelink(self, issue, moment, url=None):
        key = self.new_id("remotelink")
        url = url or f"https://git.example.com/group/repo-{key % 3}/-/commit/{sha_of('remote', key)}"
        issue["remotelinks"].append({"id": key, "url": url, "title": self.sentence()})
        self.record(issue, moment, ("RemoteIssueLink", "jira", "", None, None, str(key), f"This issue links to {url}"))
        return key

    def add_commit(self, issue, moment):
        sha = sha_of("commit", issue["id"], len(issue["commits"]))
        issue["commits"].append({"sha": sha, "message": f"{self.key_of(issue)} {self.sentence()}", "moment": moment,
                                 "author": self.person(), "repo": f"group/repo-{issue['id'] % 3}"})
        return sha


def text_of(number):
    return None if number is None else f"{number:g}"
