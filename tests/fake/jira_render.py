"""From the world's records to Jira's payloads, as Cloud and as Data Center write them.

Times are written in the zone of the user who asks. Version 3 of Cloud's API has documents where version 2, the agile
API and Data Center have text.
"""

from datetime import datetime, timezone

import jira_data
from invented import sha_of
from jira_data import CATEGORIES, COMPONENTS, LINK_TYPES, PRIORITIES
from jira_jql import zone_of

BASE = "https://jira.example.com"
NOT_NAVIGABLE = ("comment", "worklog", "attachment")


class Renderer:
    """`changelog_cut`, `worklog_cut` and `comment_cut` are the lengths of embedded lists on Cloud."""

    def __init__(self, world, cloud=True, changelog_cut=100, worklog_cut=20, comment_cut=100):
        self.world = world
        self.cloud = cloud
        self.cuts = {"changelog": changelog_cut if cloud else None, "worklog": worklog_cut, "comment": comment_cut if cloud else None}

    def time(self, moment):
        if moment is None:
            return None
        shown = datetime.fromtimestamp(moment // 1000, zone_of(self.world.zone))
        return f"{shown:%Y-%m-%dT%H:%M:%S}.{moment % 1000:03d}{shown:%z}"

    def agile_time(self, moment):
        if moment is None:
            return None
        shown = datetime.fromtimestamp(moment // 1000, timezone.utc if self.cloud else zone_of(self.world.zone))
        offset = "Z" if self.cloud else f"{shown:%z}"[:3] + ":" + f"{shown:%z}"[3:]
        return f"{shown:%Y-%m-%dT%H:%M:%S}.{moment % 1000:03d}{offset}"

    @staticmethod
    def self_url(path, version=2):
        return f"{BASE}/rest/api/{version}/{path}"

    # ---- people

    def user(self, number):
        if number is None:
            return None
        user = self.world.users[number]
        avatar = f"{BASE}/secure/useravatar?avatarId={10_100 + number}"
        shown = {"avatarUrls": {f"{size}x{size}": f"{avatar}&size={size}" for size in (48, 24, 16, 32)},
                 "active": user["active"], "timeZone": user["zone"]}
        if self.cloud:
            account = user["account_id"]
            name = "Former user" if user["gone"] else user["display"]
            mail = {"emailAddress": user["email"]} if user["email"] and not user["gone"] else {}
            return {"self": self.self_url(f"user?accountId={account}"), "accountId": account, **mail, "displayName": name,
                    "accountType": "atlassian", **shown}
        return {"self": self.self_url(f"user?username={user['name']}"), "name": user["name"], "key": user["key"],
                "emailAddress": user["email"] or "", "displayName": user["display"], **shown}

    def user_name(self, number):
        """What the change log calls a user."""
        if number is None:
            return None
        user = self.world.users[number]
        return user["account_id"] if self.cloud else user["key"]

    def myself(self):
        return {**self.user(self.world.me), "timeZone": self.world.zone, "locale": "en_US",
                "groups": {"size": 2, "items": []}, "applicationRoles": {"size": 1, "items": []}, "expand": "groups,applicationRoles"}

    # ---- small things

    def status(self, key):
        status = self.world.statuses[key]
        number, name, color = CATEGORIES[status["category"]]
        return {"self": self.self_url(f"status/{key}"), "description": "", "iconUrl": f"{BASE}/images/icons/statuses/generic.png",
                "name": status["name"], "id": str(key),
                "statusCategory": {"self": self.self_url(f"statuscategory/{number}"), "id": number, "key": status["category"],
                                   "colorName": color, "name": name}}

    def issue_type(self, key):
        kind = self.world.types[key]
        level = {"hierarchyLevel": -1 if kind["subtask"] else 1 if kind["name"] == "Epic" else 0} if self.cloud else {}
        return {"self": self.self_url(f"issuetype/{key}"), "id": str(key), "description": f"A {kind['name']}.",
                "iconUrl": f"{BASE}/images/{key}.svg", "name": kind["name"], "subtask": kind["subtask"], "avatarId": 10_300 + key % 100,
                **level}

    def project(self, key):
        project = self.world.projects[key]
        return {"self": self.self_url(f"project/{project['id']}"), "id": str(project["id"]), "key": key, "name": project["name"],
                "projectTypeKey": "software", "avatarUrls": {"48x48": f"{BASE}/secure/projectavatar?pid={project['id']}"}}

    def priority(self, key):
        found = next((name for number, name in PRIORITIES if number == key), None)
        return found and {"self": self.self_url(f"priority/{key}"), "iconUrl": f"{BASE}/images/{found.lower()}.svg", "name": found,
                          "id": str(key)}

    def fields(self):
        """The catalogue of fields."""
        system = (("summary", "string"), ("status", "status"), ("issuetype", "issuetype"), ("assignee", "user"),
                  ("reporter", "user"), ("created", "datetime"), ("updated", "datetime"), ("duedate", "date"),
                  ("labels", "array"), ("priority", "priority"))
        custom = ((jira_data.SPRINT_FIELD, "Sprint", "array", "com.pyxis.greenhopper.jira:gh-sprint"),
                  (jira_data.POINTS_FIELD, "Story Points", "number", "com.atlassian.jira.plugin.system.customfieldtypes:float"),
                  (jira_data.EPIC_FIELD, "Epic Link", "any", "com.pyxis.greenhopper.jira:gh-epic-link"),
                  (jira_data.REVIEWER_FIELD, "Reviewer", "user", "com.atlassian.jira.plugin.system.customfieldtypes:userpicker"),
                  (jira_data.TEXT_POINTS_FIELD, "Größe (Text)", "string", "com.atlassian.jira.plugin.system.customfieldtypes:textfield"),
                  (jira_data.DUE_FIELD, "Target end", "date", "com.atlassian.jira.plugin.system.customfieldtypes:datepicker"))
        key = (lambda name: {"key": name}) if self.cloud else (lambda name: {})
        shown = [{"id": name, **key(name), "name": name.capitalize(), "custom": False, "orderable": True, "navigable": True,
                  "searchable": True, "clauseNames": [name],
                  "schema": {"type": kind, **({"items": "string"} if kind == "array" else {}), "system": name}} for name, kind in system]
        shown += [{"id": name, **key(name), "name": title, "custom": True, "orderable": True, "navigable": True, "searchable": True,
                   "clauseNames": [f"cf[{name[12:]}]", title],
                   "schema": {"type": kind, **({"items": "json"} if kind == "array" else {}), "custom": plugin,
                              "customId": int(name[12:])}} for name, title, kind, plugin in custom]
        return [*shown, {"id": "thumbnail", **key("thumbnail"), "name": "Images", "custom": False, "orderable": False,
                         "navigable": True, "searchable": False, "clauseNames": []}]

    def text(self, text, document):
        return adf(text) if document and text is not None else text

    # ---- boards

    def board(self, board):
        project = self.world.projects[board["project"]]
        place = {"location": {"projectId": project["id"], "displayName": f"{project['name']} ({project['key']})",
                              "projectName": project["name"], "projectKey": project["key"], "projectTypeKey": "software",
                              "name": f"{project['name']} ({project['key']})"}} if self.cloud else {}
        return {"id": board["id"], "self": f"{BASE}/rest/agile/1.0/board/{board['id']}", "name": board["name"], "type": board["type"],
                **place}

    def configuration(self, board):
        columns = [{"name": name, "statuses": [{"id": str(key), "self": self.self_url(f"status/{key}")}]}
                   for key, name in ((1, "To Do"), (3, "In Progress"), (10002, "Done"))]
        shown = self.board(board)
        return {**shown, "self": shown["self"] + "/configuration",
                "filter": {"id": str(board["filter"]), "self": self.self_url(f"filter/{board['filter']}")},
                "columnConfig": {"columns": columns, "constraintType": "none"}, "ranking": {"rankCustomFieldId": 10019},
                "estimation": {"type": "field", "field": {"fieldId": jira_data.POINTS_FIELD, "displayName": "Story Points"}}}

    def filter(self, record, jql=True):
        shown = {"self": self.self_url(f"filter/{record['id']}"), "id": str(record["id"]), "name": record["name"],
                 "owner": self.user(self.world.me), "viewUrl": f"{BASE}/issues/?filter={record['id']}", "favourite": False}
        return {**shown, "jql": record["jql"]} if jql else shown

    def sprint(self, sprint):
        shown = {"id": sprint["id"], "self": f"{BASE}/rest/agile/1.0/sprint/{sprint['id']}", "state": sprint["state"],
                 "name": sprint["name"], "startDate": self.agile_time(sprint["start"]), "endDate": self.agile_time(sprint["end"]),
                 "completeDate": self.agile_time(sprint["completed"]),
                 "activatedDate": self.agile_time(sprint["start"] + 90_000 if sprint["start"] and not self.cloud else None),
                 "createdDate": self.agile_time(sprint["created"]) if self.cloud else None, "originBoardId": sprint["board"],
                 "goal": sprint["goal"]}
        return {name: value for name, value in shown.items() if value is not None}

    # ---- issues

    def issue(self, issue, fields=None, expand="", version=2, agile=False):
        document = version == 3 and self.cloud and not agile
        shown = {"expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields", "id": str(issue["id"]),
                 "self": self.self_url(f"issue/{issue['id']}", version) if not agile else f"{BASE}/rest/agile/1.0/issue/{issue['id']}",
                 "key": self.world.key_of(issue)}
        if "changelog" in expand.split(","):
            shown["changelog"] = self.embedded_changelog(issue)
        chosen = chosen_fields(fields, agile)
        if chosen is not None:
            shown["fields"] = {name: value for name, value in self.issue_fields(issue, document, agile).items() if chosen(name)}
        return shown

    def issue_fields(self, issue, document, agile):
        estimate, spent = issue["estimate"], sum(log["seconds"] for log in issue["worklogs"]) or None
        left = estimate and max(estimate - (spent or 0), 0)
        resolution = issue["resolution"] and {"self": self.self_url("resolution/10000"), "id": "10000", "name": issue["resolution"],
                                              "description": "Work has been completed."}
        day = issue["due"] and f"{datetime.fromtimestamp(issue['due'] // 1000, timezone.utc):%Y-%m-%d}"
        shown = {
            "statuscategorychangedate": self.time(issue["created"]), "issuetype": self.issue_type(issue["type"]), "timespent": spent,
            "project": self.project(issue["project"]), "fixVersions": [self.version(name) for name in issue["versions"]],
            "aggregatetimespent": spent, "resolution": resolution, "resolutiondate": self.time(issue["resolved"]), "workratio": -1,
            "watches": {"self": self.self_url(f"issue/{issue['id']}/watchers"), "watchCount": 1, "isWatching": False}, "lastViewed": None,
            "created": self.time(issue["created"]), "priority": self.priority(issue["priority"]), "labels": issue["labels"],
            "timeestimate": left, "aggregatetimeoriginalestimate": estimate, "versions": [],
            "issuelinks": [self.link(link) for link in issue["links"] if self.other_end(link)],
            "assignee": self.user(issue["assignee"]), "updated": self.time(issue["updated"]), "status": self.status(issue["status"]),
            "components": [self.component(name) for name in issue["components"]], "timeoriginalestimate": estimate,
            "description": self.text(issue["description"], document), "summary": issue["summary"],
            "creator": self.user(issue["creator"]), "reporter": self.user(issue["reporter"]), "subtasks": self.subtasks(issue),
            "duedate": day, "progress": {"progress": spent or 0, "total": max(spent or 0, estimate or 0)},
            "environment": None, "attachment": [], "votes": {"votes": 0, "hasVoted": False},
            jira_data.POINTS_FIELD: issue["points"], jira_data.TEXT_POINTS_FIELD: jira_data.text_of(issue["points"]),
            jira_data.DUE_FIELD: day, jira_data.REVIEWER_FIELD: self.user(issue["reviewer"]),
            jira_data.SPRINT_FIELD: self.sprint_field(issue), jira_data.EPIC_FIELD: self.epic_key(issue),
            "timetracking": {} if estimate is None else {"originalEstimateSeconds": estimate, "remainingEstimateSeconds": left},
            "comment": self.embedded_comments(issue, document), "worklog": self.embedded_worklogs(issue, document)}
        parent = issue["parent"] or (issue["epic"] if self.cloud else None)
        if parent in self.world.issues:
            shown["parent"] = self.short(self.world.issues[parent])
        return {**shown, **self.agile_fields(issue)} if agile else shown

    def agile_fields(self, issue):
        sprints = [self.world.sprints[key] for key in issue["sprints"] if key in self.world.sprints]
        open_ones = [sprint for sprint in sprints if sprint["state"] != "closed"]
        closed = [self.sprint(sprint) for sprint in sprints if sprint["state"] == "closed"]
        epic = self.world.issues.get(issue["epic"])
        shown = epic and {"id": epic["id"], "key": self.world.key_of(epic), "self": f"{BASE}/rest/agile/1.0/epic/{epic['id']}",
                          "name": epic["summary"], "summary": epic["summary"], "color": {"key": "color_4"},
                          "done": bool(epic["resolution"])}
        return {"sprint": self.sprint(open_ones[-1]) if open_ones else None, **({"closedSprints": closed} if closed else {}),
                "epic": shown or None, "flagged": False}

    def sprint_field(self, issue):
        sprints = [self.world.sprints[key] for key in issue["sprints"] if key in self.world.sprints]
        if not sprints:
            return None
        if not self.cloud:
            return [f"com.atlassian.greenhopper.service.sprint.Sprint@{sprint['id']:x}[id={sprint['id']},rapidViewId={sprint['board']},"
                    f"state={sprint['state'].upper()},name={sprint['name']},goal=]" for sprint in sprints]
        return [{"id": sprint["id"], "name": sprint["name"], "state": sprint["state"], "boardId": sprint["board"],
                 "goal": sprint["goal"]} for sprint in sprints]

    def epic_key(self, issue):
        epic = self.world.issues.get(issue["epic"])
        return epic and self.world.key_of(epic)

    def version(self, name):
        return {"self": self.self_url(f"version/{sha_of(name)[:4]}"), "id": str(int(sha_of(name)[:4], 16)), "name": name,
                "archived": False, "released": False}

    def component(self, name):
        return {"self": self.self_url(f"component/{COMPONENTS.index(name)}"), "id": str(COMPONENTS.index(name)), "name": name}

    def short(self, issue):
        return {"id": str(issue["id"]), "key": self.world.key_of(issue), "self": self.self_url(f"issue/{issue['id']}"),
                "fields": {"summary": issue["summary"], "status": self.status(issue["status"]),
                           "priority": self.priority(issue["priority"]), "issuetype": self.issue_type(issue["type"])}}

    def subtasks(self, issue):
        return [self.short(self.world.issues[key]) for key in issue["children"] if key in self.world.issues]

    def other_end(self, link):
        return self.world.issues.get(link.get("inward") or link.get("outward"))

    def link(self, link):
        kind = next(kind for kind in LINK_TYPES if kind[0] == link["type"])
        side = "inwardIssue" if "inward" in link else "outwardIssue"
        return {"id": str(link["id"]), "self": self.self_url(f"issueLink/{link['id']}"),
                "type": {"id": str(kind[0]), "name": kind[1], "inward": kind[2], "outward": kind[3],
                         "self": self.self_url(f"issueLinkType/{kind[0]}")}, side: self.short(self.other_end(link))}

    # ---- what hangs on an issue

    def embedded_changelog(self, issue):
        """Cloud tells the newest first and not all; Data Center all, the oldest first."""
        entries = issue["histories"][::-1] if self.cloud else issue["histories"]
        shown = entries[:self.cuts["changelog"]]
        return {"startAt": 0, "maxResults": len(shown), "total": len(entries), "histories": [self.history(entry) for entry in shown]}

    def history(self, entry):
        # An automation's change has no author.
        author = {} if entry["id"] % 37 == 5 else {"author": self.user(entry["author"])}
        return {"id": str(entry["id"]), **author, "created": self.time(entry["created"]),
                "items": [self.history_item(*item) for item in entry["items"]]}

    def history_item(self, field, kind, field_id, *values):
        shown = {"field": field, "fieldtype": kind}
        if self.cloud and field_id:
            shown["fieldId"] = field_id
        return {**shown, **dict(zip(("from", "fromString", "to", "toString"), map(self.history_value, values)))}

    def history_value(self, value):
        if isinstance(value, tuple):
            return self.user_name(value[1])
        return None if value is None else str(value)

    def embedded_comments(self, issue, document):
        shown = [self.comment(issue, comment, document) for comment in issue["comments"][:self.cuts["comment"]]]
        total = len(issue["comments"])
        return {"comments": shown, "self": self.self_url(f"issue/{issue['id']}/comment"),
                "maxResults": len(shown) if self.cuts["comment"] else total, "total": total, "startAt": 0}

    def comment(self, issue, comment, document=False):
        return {"self": self.self_url(f"issue/{issue['id']}/comment/{comment['id']}"), "id": str(comment["id"]),
                "author": self.user(comment["author"]), "body": self.text(comment["body"], document),
                "updateAuthor": self.user(comment["author"]), "created": self.time(comment["created"]),
                "updated": self.time(comment["updated"]), **({"jsdPublic": True} if self.cloud else {})}

    def embedded_worklogs(self, issue, document):
        return {"startAt": 0, "maxResults": self.cuts["worklog"], "total": len(issue["worklogs"]),
                "worklogs": [self.worklog(issue, log, document) for log in issue["worklogs"][:self.cuts["worklog"]]]}

    def worklog(self, issue, log, document=False):
        spent = log["seconds"]
        return {"self": self.self_url(f"issue/{issue['id']}/worklog/{log['id']}"), "author": self.user(log["author"]),
                "updateAuthor": self.user(log["author"]), "comment": self.text(log["comment"], document),
                "created": self.time(log["created"]), "updated": self.time(log["updated"]), "started": self.time(log["started"]),
                "timeSpent": f"{spent // 60}m", "timeSpentSeconds": spent, "id": str(log["id"]), "issueId": str(issue["id"])}

    def remotelink(self, issue, link):
        return {"id": link["id"], "self": self.self_url(f"issue/{issue['id']}/remotelink/{link['id']}"), "application": {},
                "object": {"url": link["url"], "title": link["title"], "icon": {}, "status": {"icon": {}}}}

    def development(self, issue, application):
        """The development panel's repositories with their commits."""
        repositories = {}
        for commit in issue["commits"]:
            url = f"https://git.example.com/{commit['repo']}"
            shown = repositories.setdefault(commit["repo"], {"name": commit["repo"], "url": url, "avatar": "", "commits": []})
            shown["commits"].append({
                "id": commit["sha"], "displayId": commit["sha"][:7], "authorTimestamp": self.time(commit["moment"]),
                "url": f"{url}/-/commit/{commit['sha']}", "author": {"name": self.user(commit["author"])["displayName"], "avatar": ""},
                "fileCount": 1, "merge": False, "message": commit["message"], "files": []})
        detail = [{"repositories": list(repositories.values()), "_instance": {"name": application, "baseUrl": "https://git.example.com",
                   "type": application, "id": application, "typeName": application, "singleInstance": True}}]
        return {"errors": [], "detail": detail if repositories else []}

    def development_summary(self, issue):
        count = len({commit["repo"] for commit in issue["commits"]})
        by_type = {"GitLab": {"count": count, "name": "GitLab"}} if count else {}
        newest = self.time(issue["commits"][-1]["moment"]) if count else None
        overall = {"count": count, "lastUpdated": newest, "dataType": "repository"}
        return {"errors": [], "configErrors": [], "summary": {"repository": {"overall": overall, "byInstanceType": by_type}}}


def chosen_fields(text, agile):
    """A test of field names; None where no fields were asked for (the new search without `fields`)."""
    if text is None:
        return (lambda name: True) if agile else (lambda name: name not in NOT_NAVIGABLE)
    names = [name.strip() for name in text.split(",") if name.strip()]
    if set(names) <= {"id", "key"}:
        return None
    without = {name[1:] for name in names if name.startswith("-")}
    every, navigable = "*all" in names or set(names) == {"-" + name for name in without}, "*navigable" in names
    return lambda name: name not in without and (every or name in names or (navigable and name not in NOT_NAVIGABLE))


def adf(text):
    """A document with one paragraph per block of lines, its lines divided by hard breaks."""
    paragraphs = []
    for block in text.split("\n\n"):
        content = []
        for line in block.split("\n"):
            content += [{"type": "hardBreak"}] if content else []
            content += [{"type": "text", "text": line}] if line else []
        paragraphs.append({"type": "paragraph", "content": content})
    return {"type": "doc", "version": 1, "content": paragraphs}
