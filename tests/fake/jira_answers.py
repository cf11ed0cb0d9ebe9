"""Jira's REST routes over the invented world: searches, boards, details, catalogues, as Cloud or Data Center answers.

What only one of them has is 404 (or, for Cloud's removed search, 410) at the other. `Refusal` carries the status and the
messages of Jira's error body.
"""

import base64
import json
import re
from urllib.parse import unquote

from jira_jql import JqlError, parse
from jira_malformed import spoil
from jira_render import chosen_fields

NO_ISSUE = "Issue does not exist or you do not have permission to see it."
NO_BOARD = "The requested board cannot be viewed because it either does not exist or you do not have permission to view it."
NO_FILTER = "The selected filter is not available to you, perhaps it has been deleted or had its permissions changed."
NO_USER = "Specified user does not exist or you do not have required permissions"
REMOVED = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API."
UNBOUNDED = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
NO_SPRINTS = "The board does not support sprints"
ALL = 1 << 30


class Refusal(Exception):
    def __init__(self, status, *messages):
        super().__init__(*messages)
        self.status = status

    def value(self):
        return {"errorMessages": list(self.args), "errors": {}}


class Source:
    """`page_cap` is the most issues with fields that a page of Cloud's new search holds."""

    def __init__(self, world, show, page_cap=100):
        self.world = world
        self.show = show
        self.page_cap = page_cap

    ROUTES = [(re.compile(pattern), name) for pattern, name in (
        (r"api/(?:2|3|latest)/serverInfo", "server_info"), (r"api/(?:2|3|latest)/myself", "myself"),
        (r"api/(?:2|3|latest)/field", "fields"), (r"api/(?:2|3|latest)/status", "statuses"),
        (r"api/(?:2|3|latest)/issuetype", "issue_types"), (r"api/(?:2|3|latest)/project", "projects"),
        (r"api/(?:2|3|latest)/project/search", "project_search"), (r"api/(?:2|3|latest)/user", "user"),
        (r"api/(?:2|3|latest)/user/picker", "user_picker"), (r"api/(?:2|3|latest)/users?/search", "users"),
        (r"api/(2|3|latest)/search", "search"), (r"api/(2|3|latest)/search/jql", "search_jql"),
        (r"api/(?:2|3|latest)/filter/search", "filter_search"), (r"api/(?:2|3|latest)/filter/(\d+)", "filter"),
        (r"api/(2|3|latest)/issue/([^/]+)", "issue"), (r"api/(?:2|3|latest)/issue/([^/]+)/changelog", "changelog"),
        (r"api/(2|3|latest)/issue/([^/]+)/comment", "comments"), (r"api/(2|3|latest)/issue/([^/]+)/worklog", "worklogs"),
        (r"api/(?:2|3|latest)/issue/([^/]+)/remotelink", "remotelinks"), (r"agile/1\.0/board", "boards"),
        (r"agile/1\.0/board/(\d+)", "board"), (r"agile/1\.0/board/(\d+)/configuration", "configuration"),
        (r"agile/1\.0/board/(\d+)/issue", "board_issues"), (r"agile/1\.0/board/(\d+)/sprint", "board_sprints"),
        (r"agile/1\.0/board/(\d+)/epic", "board_epics"), (r"agile/1\.0/sprint/(\d+)", "sprint"),
        (r"agile/1\.0/issue/([^/]+)", "agile_issue"), (r"dev-status/(?:1\.0|latest)/issue/(detail|summary)", "development"))]

    def answer(self, path, params):
        """The value of the path below /rest/, or a Refusal is raised."""
        for pattern, name in self.ROUTES:
            found = pattern.fullmatch(path)
            if found:
                return getattr(self, name)(params, *found.groups())
        raise Refusal(404, "null for uri: " + path)

    @property
    def cloud(self):
        return self.show.cloud

    # ---- catalogues

    def server_info(self, _params):
        version = ("1001.0.0-SNAPSHOT", [1001, 0, 0], "Cloud") if self.cloud else ("9.12.4", [9, 12, 4], "Server")
        return {"baseUrl": "https://jira.example.com", "version": version[0], "versionNumbers": version[1],
                "deploymentType": version[2],
                "buildNumber": 100_240 if self.cloud else 9_120_004, "buildDate": "2024-02-01T00:00:00.000+0000",
                "serverTime": self.show.time(self.world.now()), "scmInfo": "0" * 40, "serverTitle": "Jira"}

    def myself(self, _params):
        return self.show.myself()

    def fields(self, _params):
        return self.show.fields()

    def statuses(self, _params):
        return [self.show.status(key) for key in self.world.statuses]

    def issue_types(self, _params):
        return [self.show.issue_type(key) for key in self.world.types]

    def projects(self, _params):
        return [self.show.project(key) for key in self.world.projects]

    def project_search(self, params):
        self.only_cloud()
        return paged(params, list(self.world.projects), self.show.project, "values", 50)

    def user(self, params):
        names = ("accountId",) if self.cloud else ("key", "username")
        fields = {"accountId": "account_id", "key": "key", "username": "name"}
        asked = next((name for name in names if params.get(name)), None)
        if asked is None:
            raise Refusal(400, f"The query parameter '{names[0]}' must be set.")
        found = next((number for number, user in self.world.users.items() if user[fields[asked]] == params[asked]), None)
        if found is None or self.world.users[found]["gone"]:
            raise Refusal(404, NO_USER)
        return self.show.user(found)

    def matching_users(self, query):
        return [number for number, user in self.world.users.items() if not user["gone"] and any(
            query.lower() in (user[field] or "").lower() for field in ("email", "name", "display"))]

    def user_picker(self, params):
        found = [self.show.user(number) for number in self.matching_users(params.get("query", ""))]
        return {"users": found, "total": len(found), "header": f"Showing {len(found)} of {len(found)} matching users"}

    def users(self, params):
        start, size = start_of(params), size_of(params, 50, 1000)
        found = self.matching_users(params.get("query", params.get("username", "")))
        return [self.show.user(number) for number in found[start:start + size]]

    def filter(self, _params, key):
        record = self.world.filters.get(int(key))
        if record is None or record["hidden"]:
            raise Refusal(400, NO_FILTER)
        return self.show.filter(record)

    def filter_search(self, params):
        self.only_cloud()
        with_jql = "jql" in params.get("expand", "").split(",")
        wanted = params.get("id", "").split(",")
        seen = [record for record in self.world.filters.values()
                if not record["hidden"] and (wanted == [""] or str(record["id"]) in wanted)]
        return paged(params, seen, lambda record: self.show.filter(record, with_jql), "values", 50)

    # ---- searches

    def search(self, params, version):
        if self.cloud:
            raise Refusal(410, REMOVED)
        return self.listed(params, self.query(params.get("jql", "")), 1000, version=2)

    def search_jql(self, params, version):
        self.only_cloud()
        query = self.query(params.get("jql", ""))
        if not query.bounded:
            raise Refusal(400, UNBOUNDED)
        fields = params.get("fields", "id")
        light = chosen_fields(fields, False) is None
        found = self.found(query)
        start = place_of(params.get("nextPageToken"), params.get("jql", ""))
        end = start + size_of(params, 50, 5000 if light else self.page_cap)
        shown = [self.shown(issue, fields, params, 3 if version == "3" else 2) for issue in found[start:end]]
        last = end >= len(found)
        return {"issues": shown, "isLast": last} if last else {
            "issues": shown, "nextPageToken": token_of(end, params.get("jql", "")), "isLast": last}

    def query(self, jql):
        try:
            return parse(jql)
        except JqlError as problem:
            raise Refusal(400, str(problem)) from None

    def found(self, *queries):
        """The issues that match all queries, in the order of the last one that says something."""
        try:
            found = [issue for issue in self.world.issues.values() if all(query.matches(issue, self.world) for query in queries)]
            return queries[-1].sorted(found, self.world)
        except JqlError as problem:
            raise Refusal(400, str(problem)) from None

    def listed(self, params, query, most, *more, version=2, agile=False):
        found = self.found(*more, query)
        start, size = start_of(params), size_of(params, 50, most)
        shown = [self.shown(issue, params.get("fields"), params, version, agile) for issue in found[start:start + size]]
        return {"expand": "schema,names", "startAt": start, "maxResults": size, "total": len(found), "issues": shown}

    def shown(self, issue, fields, params, version, agile=False):
        value = self.show.issue(issue, fields, params.get("expand", ""), version, agile)
        kind = self.world.malformed.get(issue["id"])
        return spoil(value, kind) if kind and "fields" in value else value

    # ---- boards

    def board_of(self, key):
        board = self.world.boards.get(int(key))
        if board is None:
            raise Refusal(404, NO_BOARD)
        return board

    def boards(self, params):
        name, kind, project = params.get("name", "").lower(), params.get("type"), params.get("projectKeyOrId")
        found = [board for board in self.world.boards.values() if name in board["name"].lower() and
                 kind in (None, board["type"]) and project in (None, board["project"])]
        return paged(params, found, self.show.board, "values", 50)

    def board(self, _params, key):
        return self.show.board(self.board_of(key))

    def configuration(self, _params, key):
        return self.show.configuration(self.board_of(key))

    def board_issues(self, params, key):
        record = self.world.filters[self.board_of(key)["filter"]]
        if record["hidden"]:
            raise Refusal(400, NO_FILTER)
        query = self.query(params.get("jql", ""))
        own = self.query(record["jql"])
        if "order by" not in params.get("jql", "").lower():
            query, own = own, query
        return self.listed(params, query, 100 if self.cloud else 1000, own, agile=True)

    def board_sprints(self, params, key):
        board = self.board_of(key)
        if board["type"] == "kanban":
            raise Refusal(400, NO_SPRINTS)
        states = params.get("state")
        found = [sprint for sprint in self.world.sprints.values() if sprint["board"] == board["id"] and
                 (not states or sprint["state"] in states.split(","))]
        return paged(params, found, self.show.sprint, "values", 50, total=self.cloud)

    def board_epics(self, params, key):
        own = self.query(self.world.filters[self.board_of(key)["filter"]]["jql"])
        found = [issue for issue in self.found(own) if issue["type"] == 10000]
        return paged(params, found, lambda issue: {"id": issue["id"], "key": self.world.key_of(issue), "name": issue["summary"],
                                                   "summary": issue["summary"], "done": False}, "values", 50, total=False)

    def sprint(self, _params, key):
        if int(key) not in self.world.sprints:
            raise Refusal(404, "Sprint does not exist.")
        return self.show.sprint(self.world.sprints[int(key)])

    # ---- one issue

    def issue_of(self, key):
        key = unquote(key)
        found = self.world.issues.get(int(key) if key.isdigit() else self.world.keys.get(key.upper()))
        if found is None:
            raise Refusal(404, NO_ISSUE)
        return found

    def issue(self, params, version, key):
        found = self.issue_of(key)
        return self.shown(found, params.get("fields", "*all"), params, 3 if version == "3" else 2)

    def agile_issue(self, params, key):
        return self.shown(self.issue_of(key), params.get("fields"), params, 2, True)

    def changelog(self, params, key):
        self.only_cloud()
        return paged(params, self.issue_of(key)["histories"], self.show.history, "values", 100)

    def comments(self, params, version, key):
        issue = self.issue_of(key)
        return self.hanging(params, issue["comments"], lambda one: self.show.comment(issue, one, self.documents(version)), "comments")

    def worklogs(self, params, version, key):
        issue = self.issue_of(key)
        return self.hanging(params, issue["worklogs"], lambda one: self.show.worklog(issue, one, self.documents(version)), "worklogs")

    def hanging(self, params, records, show, wrap):
        """Comments and worklogs: Data Center gives all work logs at once whatever is asked for, Cloud pages of 100 or 5000."""
        if not self.cloud and wrap == "worklogs":
            params = {}
        most = 5000 if wrap == "worklogs" else 100 if self.cloud else ALL
        value = paged(params, records, show, wrap, most, default=most if self.cloud else max(len(records), 1))
        value.pop("isLast")
        return value

    def documents(self, version):
        return version == "3" and self.cloud

    def remotelinks(self, _params, key):
        issue = self.issue_of(key)
        return [self.show.remotelink(issue, link) for link in issue["remotelinks"]]

    def development(self, params, kind):
        issue = self.issue_of(params.get("issueId", ""))
        if kind == "summary":
            return self.show.development_summary(issue)
        if not params.get("applicationType") or not params.get("dataType"):
            raise Refusal(400, "applicationType and dataType must be set")
        return self.show.development(issue, params["applicationType"])

    def only_cloud(self):
        if not self.cloud:
            raise Refusal(404, "null for uri")


# ---- pages

def paged(params, records, show, wrap, most, total=True, default=None):
    start, size = start_of(params), size_of(params, default or min(most, 50), most)
    shown = [show(record) for record in records[start:start + size]]
    head = {"maxResults": size, "startAt": start, **({"total": len(records)} if total else {})}
    return {**head, "isLast": start + size >= len(records), wrap: shown}


def start_of(params):
    return max(whole(params.get("startAt"), 0), 0)


def size_of(params, default, most):
    size = whole(params.get("maxResults"), default)
    return min(size, most) if size >= 0 else min(default, most)


def whole(value, default):
    try:
        return int(value)
    except (TypeError, ValueError):
        return default


def token_of(place, jql):
    return base64.urlsafe_b64encode(json.dumps([place, jql]).encode()).decode()


def place_of(token, jql):
    """Where a page token goes on; it holds for the query that it came from only."""
    if not token:
        return 0
    try:
        place, of = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise Refusal(400, "The provided next page token is invalid or expired.") from None
    if of != jql:
        raise Refusal(400, "The provided next page token does not belong to this query.")
    return place
