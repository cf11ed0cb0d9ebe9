"""Jira from end to end, Cloud and Data Center: a first run, a run without news, a run after changes."""

import json
import os
import re
from datetime import datetime, timezone

import pytest

from conftest import Tarn
from jira_rows import Rows, assert_same, differences
from jira_source import (DEPLOYMENTS, add_board, connected, deployment, fresh_rows, new_world, read_once, run_boards,  # noqa: F401
                         settled, source, synced)
from table_rows import assert_origins

CONNECTION = 1
CATEGORY = {"done": "DONE", "new": "TODO"}


@pytest.fixture(scope="module", params=DEPLOYMENTS)
def whole(request, program):
    """What a home holds after its first run, and the source: only to be read."""
    home = read_once(program, request.param)
    source = new_world(request.param)
    return Rows(Tarn(program, home)), source


@pytest.fixture(autouse=True)
def own_world(request):
    """The tests that only read share a home, but the server has one world: it is set back to theirs."""
    if "whole" in request.fixturenames:
        cloud = request.getfixturevalue("whole")[1]
        new_world(request.node.callspec.params["whole"])
        assert cloud.server


# ---- expectations

def moment(text):
    """Jira's time as the store shows it: UTC, no zeros at the end of the fraction."""
    if text is None:
        return None
    value = datetime.fromisoformat(re.sub(r"Z$", "+00:00", text)).astimezone(timezone.utc)
    fraction = f"{value.microsecond:06d}".rstrip("0")
    return f"{value:%Y-%m-%d %H:%M:%S}" + (f".{fraction}" if fraction else "")


def person(user):
    return (user.get("accountId") or user["key"]) if user else ""


def domain(kind, *parts):
    return ":".join(map(str, (f"jira:{kind}", CONNECTION, *parts)))


def expect(rows, wanted):
    """The rows have exactly the wanted keys, and in them the wanted columns."""
    assert rows.keys() == wanted.keys()
    for key, columns in wanted.items():
        got = {name: rows[key][name] for name in columns}
        assert got == columns, key


# ---- the first run

def test_issues_arrive(whole):
    rows, source = whole
    issues = source.issues()
    everything = [*issues, *source.outside_epics(issues)]
    assert len(everything) > len(issues) == 40
    wanted = {(CONNECTION, int(issue["id"])): {
        "issue_key": issue["key"], "summary": issue["fields"]["summary"], "status_name": issue["fields"]["status"]["name"],
        "std_status": CATEGORY.get(issue["fields"]["status"]["statusCategory"]["key"], "IN_PROGRESS"),
        "type": issue["fields"]["issuetype"]["name"], "created": moment(issue["fields"]["created"]),
        "updated": moment(issue["fields"]["updated"]), "resolution_date": moment(issue["fields"]["resolutiondate"]),
        "assignee_account_id": person(issue["fields"]["assignee"]), "creator_account_id": person(issue["fields"]["creator"]),
        "components": ",".join(part["name"] for part in issue["fields"]["components"]),
        "fix_versions": ",".join(part["name"] for part in issue["fields"]["fixVersions"])} for issue in everything}
    expect(rows["_tool_jira_issues"], wanted)
    assert {key[2] for key in rows["_tool_jira_board_issues"]} == {int(issue["id"]) for issue in everything}
    assert {key[0] for key in rows["issues"]} == {domain("JiraIssue", issue["id"]) for issue in everything}
    assert set(rows["board_issues"]) == {(domain("JiraBoard", 1), domain("JiraIssue", issue["id"])) for issue in everything}
    for issue in issues:
        row = rows["issues"][(domain("JiraIssue", issue["id"]),)]
        assert row["url"] == f"https://jira.example.com/browse/{issue['key']}"
        assert row["title"] == issue["fields"]["summary"] and row["original_status"] == issue["fields"]["status"]["name"]
        assert row["created_date"] == moment(issue["fields"]["created"])
        assert row["is_subtask"] == issue["fields"]["issuetype"]["subtask"]
        if row["is_subtask"]:
            assert row["type"] == "SUBTASK" and row["parent_issue_id"] == domain("JiraIssue", issue["fields"]["parent"]["id"])


def test_texts_arrive_unharmed(whole):
    rows, source = whole
    issues = source.issues()
    texts = {int(issue["id"]): (issue["fields"]["description"] or "").replace("\0", "") for issue in issues}
    assert max(map(len, texts.values())) > 200_000 and any("🚨" in text for text in texts.values())
    for key, text in texts.items():
        # The fake tells some texts with a NUL, which no text of the store holds.
        assert rows["_tool_jira_issues"][CONNECTION, key]["description"].replace("\0", "") == text, key


def test_the_whole_change_log_arrives_once(whole):
    rows, source = whole
    histories = [(issue, entry) for issue in source.issues() for entry in issue["changelog"]["histories"]]
    assert max(issue["changelog"]["total"] for issue, _ in histories) > 100
    own = {int(issue["id"]) for issue in source.issues()}
    found = {key: row for key, row in rows["_tool_jira_issue_changelogs"].items() if row["issue_id"] in own}
    expect(found, {(CONNECTION, int(entry["id"])): {
        "issue_id": int(issue["id"]), "created": moment(entry["created"]), "author_account_id": person(entry.get("author"))}
        for issue, entry in histories})
    items = {(CONNECTION, int(entry["id"]), item["field"]): item for _, entry in histories for item in entry["items"]}
    for key, item in items.items():
        row = rows["_tool_jira_issue_changelog_items"][key]
        assert (row["from_value"] or "", row["from_string"] or "") == (item["from"] or "", item["fromString"] or ""), key
        assert (row["to_value"] or "", row["to_string"] or "") == (item["to"] or "", item["toString"] or ""), key


def test_changes_arrive_with_standard_statuses_and_domain_ids(whole):
    rows, source = whole
    seen = set()
    for issue in source.issues():
        for entry in issue["changelog"]["histories"]:
            for item in entry["items"]:
                row = rows["issue_changelogs"][(domain("JiraIssueChangelogItems", entry["id"], item["field"]),)]
                assert row["issue_id"] == domain("JiraIssue", issue["id"]) and row["created_date"] == moment(entry["created"])
                if item["field"] == "status":
                    assert row["original_to_value"] == item["toString"] and row["to_value"] in ("TODO", "IN_PROGRESS", "DONE")
                elif item["field"] in ("assignee", "Reviewer"):
                    assert row["original_to_value"] == (domain("JiraAccount", item["to"]) if item["to"] else "")
                elif item["field"] == "Sprint":
                    assert row["original_to_value"] == ",".join(domain("JiraSprint", part) for part in item["to"].split(", "))
                seen.add(item["field"])
    assert {"status", "assignee", "Reviewer", "Sprint", "labels"} <= seen


def test_work_logs_arrive(whole):
    rows, source = whole
    logs = [(issue, log) for issue in source.issues() for log in issue["fields"]["worklog"]["worklogs"]]
    assert max(issue["fields"]["worklog"]["total"] for issue, _ in logs) > 20
    own = {int(issue["id"]) for issue in source.issues()}
    expect({key: row for key, row in rows["_tool_jira_worklogs"].items() if row["issue_id"] in own}, {
        (CONNECTION, int(issue["id"]), log["id"]): {"time_spent_seconds": log["timeSpentSeconds"], "author_id": person(log["author"]),
                                                    "started": moment(log["started"])} for issue, log in logs})
    assert {domain("JiraWorklog", issue["id"], log["id"]) for issue, log in logs} <= {key[0] for key in rows["issue_worklogs"]}


def test_labels_links_and_assignees_arrive(whole):
    rows, source = whole
    issues = source.issues()
    everything = [*issues, *source.outside_epics(issues)]
    labels = {(domain("JiraIssue", issue["id"]), label) for issue in everything for label in issue["fields"]["labels"]}
    assert any(label == "緊急" for _, label in labels) and labels == set(rows["issue_labels"])
    assignees = {(domain("JiraIssue", issue["id"]), domain("JiraAccount", person(issue["fields"]["assignee"])))
                 for issue in issues if issue["fields"]["assignee"]}
    assert assignees <= set(rows["issue_assignees"])
    links = {(int(issue["id"]), int(link.get("inwardIssue", issue)["id"]), int(link.get("outwardIssue", issue)["id"]))
             for issue in everything for link in issue["fields"]["issuelinks"]}
    found = {(row["issue_id"], row["inward_issue_id"] or row["issue_id"], row["outward_issue_id"] or row["issue_id"])
             for row in rows["_tool_jira_issue_relationships"].values()}
    assert links and links == found


def test_sprints_arrive(whole):
    rows, source = whole
    sprints = source.sprints()
    expect({key: row for key, row in rows["_tool_jira_sprints"].items() if row["origin_board_id"] == 1}, {
        (CONNECTION, sprint["id"]): {"name": sprint["name"], "complete_date": moment(sprint.get("completeDate")),
                                     "end_date": moment(sprint.get("endDate"))} for sprint in sprints})
    states = {domain("JiraSprint", sprint["id"]): sprint["state"].upper() for sprint in sprints}
    assert {key[0]: rows["sprints"][key]["status"] for key in rows["sprints"] if key[0] in states} == states
    assert {key[1] for key in rows["board_sprints"]} == set(states)
    in_sprint = {(domain("JiraSprint", sprint["id"]), domain("JiraIssue", issue["id"])) for issue in source.issues()
                 for sprint in [*issue["fields"].get("closedSprints", []), issue["fields"]["sprint"]] if sprint}
    assert in_sprint and in_sprint <= set(rows["sprint_issues"])


def test_remote_links_arrive(whole):
    rows, source = whole
    links = {link["id"]: (int(issue["id"]), link["object"]["url"]) for issue in source.issues()
             for link in source.one(f"api/2/issue/{issue['id']}/remotelink")}
    assert links
    expect({key: row for key, row in rows["_tool_jira_remotelinks"].items() if key[1] in links}, {
        (CONNECTION, key): {"issue_id": issue, "url": url} for key, (issue, url) in links.items()})


def test_people_arrive_but_for_those_who_left(whole):
    rows, source = whole
    issues = source.issues()
    people = {person(issue["fields"][name]) for issue in issues for name in ("creator", "assignee", "reporter")}
    people |= {person(entry.get("author")) for issue in issues for entry in issue["changelog"]["histories"]}
    people.remove("")
    gone = set(source.server.control("GET", "state")["gone_users"])
    assert gone & people, "no deleted user takes part"
    known = {key[1]: row for key, row in rows["_tool_jira_accounts"].items()}
    assert people <= known.keys()
    for key in people - gone:
        user = source.one("api/2/user", **{"accountId" if source.cloud else "key": key})
        assert (known[key]["name"], known[key]["email"]) == (user["displayName"], user.get("emailAddress", "")), key
    assert {key[0] for key in rows["accounts"]} >= {domain("JiraAccount", key) for key in people}


def test_every_row_says_where_it_comes_from(whole):
    rows, _ = whole
    assert_origins(rows, '{"ConnectionId":1,"BoardId":1}')


def test_two_first_runs_give_the_same_rows(program, tmp_path, source):
    found = []
    for folder in ("one", "two"):
        tarn = Tarn(program, tmp_path / folder)
        synced(tarn, source)
        found.append(Rows(tarn).comparable())
    assert not differences(found[1], found[0])


# ---- a run without news

def test_a_run_without_news_writes_nothing_and_asks_little(settled, source):
    before = Rows(settled)
    for _ in range(2):
        source.requests()
        done = synced(settled, source)
        counts = source.requests()
        print(counts)
        assert Rows(settled).written_since(before) == {}
        assert done.stdout.startswith("nothing has changed\n")
        # Of the board itself its issues and its sprints; the rest serves all boards of a server at once.
        assert {stream: count for stream, count in counts.items() if stream.startswith("agile/")} == {
            "agile/1.0/board/*/issue": 1, "agile/1.0/board/*/sprint": 1}
        assert not [stream for stream in counts if "/issue/" in stream or stream.startswith("api/2/user")]
        assert sum(counts.values()) <= 10, counts


def test_many_boards_without_news(served, deployment):
    """BOARDS sets how many: 200 take minutes."""
    count = int(os.environ.get("BOARDS", "20"))
    source = new_world(deployment, projects=count, boards=count, issues=2, sprints=2, long=3)
    connection = connected(served, source)
    boards = list(range(1, count + 1))
    for board in boards:
        add_board(served, connection, board)
    assert run_boards(served, connection, boards, 500)["status"] == "TASK_COMPLETED"
    source.requests()
    assert run_boards(served, connection, boards, 500)["status"] == "TASK_COMPLETED"
    counts = source.requests()
    of_boards = sum(number for stream, number in counts.items() if "/board/" in stream)
    print(f"{deployment}, {count} boards without news: {sum(counts.values())} requests, {of_boards / count:.2f} a board: {counts}")
    assert of_boards <= 2 * count
    assert sum(counts.values()) <= 2 * count + 20


# ---- a run after changes

def numbers(rows, name, column):
    """The last parts of a column's values: those are Jira's own ids."""
    return {str(row[column]).rsplit(":", 1)[-1] for row in rows[name].values()}


def test_changes_arrive_and_nothing_else_is_written(program, settled, source, tmp_path):
    before = Rows(settled)
    world = source.world
    alpha = [issue for issue in world.issues.values() if issue["project"] == "ALPHA" and not issue["links"]]
    titled, moved_on, worked, labelled, planned = (issue["id"] for issue in alpha[20:25])
    source.change("update_issue", issue=titled, summary="Größer 🐘", description=None)
    source.change("transition", issue=moved_on, status=10002 if world.issues[moved_on]["status"] != 10002 else 3)
    source.change("add_worklog", issue=worked, seconds=1234)
    source.change("relabel", issue=labelled, labels=["only-this"])
    sprint = source.change("add_sprint", board=1, name="Brand new")["id"]
    source.change("plan", issue=planned, sprints=[sprint])
    added = source.change("add_issue", summary="A new one", count=2)["ids"]
    source.requests()
    synced(settled, source)
    print(source.requests())
    after = Rows(settled)
    touched = {titled, moved_on, worked, labelled, planned, *added}
    written = after.written_since(before)
    found = lambda name, key: after[name].get(key) or before[name][key]  # noqa: E731
    raw = {json.loads(found("_raw_jira_api_issues", key)["data"])["id"] for key in written["_raw_jira_api_issues"]}
    assert raw == {str(key) for key in touched}
    assert {key[1] for key in written["_tool_jira_issues"]} == touched
    assert {key[0] for key in written["issues"]} == {domain("JiraIssue", key) for key in touched}
    for name in ("issue_labels", "issue_assignees", "board_issues", "issue_changelogs", "issue_worklogs", "sprint_issues"):
        assert {found(name, key)["issue_id"].rsplit(":", 1)[-1] for key in written.get(name, ())} <= {str(key) for key in touched}, name
    assert domain("JiraSprint", sprint) in {key[0] for key in written["sprints"]} and len(written["sprints"]) == 1
    assert_same(settled, fresh_rows(program, tmp_path, source))


def test_what_changes_within_the_minute_of_the_last_run_arrives(program, settled, source, tmp_path):
    key = next(issue["id"] for issue in source.world.issues.values() if issue["project"] == "ALPHA" and issue["number"] == 30)
    for round_number in range(3):
        source.change("update_issue", issue=key, summary=f"Again {round_number}")
        synced(settled, source)
        assert Rows(settled)["_tool_jira_issues"][CONNECTION, key]["summary"] == f"Again {round_number}"
    assert_same(settled, fresh_rows(program, tmp_path, source))


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "Mars/Olympus"])
def test_no_change_is_lost_in_any_zone(program, tmp_path, deployment, zone):
    source = new_world(deployment)
    source.change("set_zone", zone=zone)
    tarn = Tarn(program, tmp_path / "home")
    synced(tarn, source)
    source.change("update_issue", issue="ALPHA-9", summary="In that zone")
    source.requests()
    synced(tarn, source)
    assert_same(tarn, fresh_rows(program, tmp_path, source))


def test_cut_off_lists_are_read_again_when_they_grow(program, settled, source, tmp_path):
    longest = max(source.world.issues.values(), key=lambda issue: (issue["project"] == "ALPHA", len(issue["histories"])))
    short = next(issue for issue in source.world.issues.values() if issue["project"] == "ALPHA" and issue["number"] == 32)
    source.change("add_history", issue=longest["id"], count=3)
    source.change("add_worklog", issue=longest["id"], count=2)
    source.change("add_worklog", issue=short["id"], count=30)
    source.change("add_history", issue=short["id"], count=120)
    gone = source.change("delete_worklog", issue=longest["id"])["id"]
    synced(settled, source)
    # And once more: what has left the embedded part by now is still held.
    source.change("add_history", issue=longest["id"], count=5)
    synced(settled, source)
    rows = Rows(settled)
    for issue in (longest, short):
        assert sum(row["issue_id"] == issue["id"] for row in rows["_tool_jira_issue_changelogs"].values()) == len(issue["histories"])
        assert sum(row["issue_id"] == issue["id"] for row in rows["_tool_jira_worklogs"].values()) == len(issue["worklogs"])
    assert str(gone) not in {key[2] for key in rows["_tool_jira_worklogs"]}
    assert_same(settled, fresh_rows(program, tmp_path, source))


def test_a_sprint_that_ends_arrives(program, settled, source, tmp_path):
    active = next(sprint for sprint in source.sprints() if sprint["state"] == "active")
    source.change("close_sprint", sprint=active["id"])
    source.change("rename_sprint", sprint=active["id"], name="Ended")
    synced(settled, source)
    row = Rows(settled)["sprints"][(domain("JiraSprint", active["id"]),)]
    assert (row["status"], row["name"]) == ("CLOSED", "Ended") and row["completed_date"]


def test_a_renamed_status_is_known_to_the_change_log(settled, source):
    status = next(int(item["to"]) for issue in source.issues() for entry in issue["changelog"]["histories"] for item in entry["items"]
                  if item["field"] == "status")
    source.change("rename_status", status=status, name="Anders genannt")
    # The catalogues serve all boards for some minutes; a full run asks for them anew.
    synced(settled, source, "--full")
    rows = Rows(settled)
    assert rows["_tool_jira_statuses"][CONNECTION, str(status)]["name"] == "Anders genannt"
    assert any(row["original_to_value"] == "Anders genannt" for row in rows["issue_changelogs"].values())


def test_comments_arrive_when_asked_for(program, tmp_path, source):
    tarn = Tarn(program, tmp_path / "home")
    synced(tarn, source)
    synced(tarn, source, "--subtasks", "collectIssueComments,extractIssueComments,extractIssues,ConvertIssueComments", "--full")
    wanted = {(CONNECTION, int(issue["id"]), comment["id"]): comment["body"] for issue in source.issues()
              for comment in source.list(f"api/2/issue/{issue['id']}/comment", "comments")}
    rows = {key: row for key, row in Rows(tarn)["_tool_jira_issue_comments"].items()}
    own = {key[1] for key in wanted}
    assert {key for key in rows if key[1] in own} == wanted.keys()
    assert all(rows[key]["body"] == body for key, body in wanted.items() if "\0" not in body)


def test_skipping_the_collectors_asks_nothing(settled, source):
    before = Rows(settled)
    source.requests()
    synced(settled, source, "--skip-collectors")
    assert source.requests() == {}
    assert Rows(settled).written_since(before) == {}


def test_raw_rows_are_the_answers(whole):
    rows, source = whole
    held = {str(json.loads(row["data"])["id"]) for row in rows["_raw_jira_api_issues"].values()}
    assert held == {issue["id"] for issue in source.issues()}
