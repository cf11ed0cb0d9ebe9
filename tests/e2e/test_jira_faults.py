"""A Jira that limits, fails, breaks off, sends nonsense or refuses, and settings that cannot be right."""

import base64

import pytest

import jira
from conftest import Tarn
from jira_malformed import KINDS
from jira_rows import Rows, assert_same
from jira_source import (DEPLOYMENTS, add_board, connected, deployment, fresh_rows, new_world, read_once, run_boards,  # noqa: F401
                         settled, source, sync, synced)

# One request may meet all faults of a test.
PATIENT = {"API_RETRY": "12"}


@pytest.fixture(scope="module")
def undisturbed(program):
    return {deployment: Rows(Tarn(program, read_once(program, deployment))).comparable() for deployment in DEPLOYMENTS}


# ---- troubles that pass

@pytest.mark.parametrize("limits", [{"after": 12, "retry_after": 1, "times": 2}, {"after": 0, "retry_after": 2}], ids=["midway", "at once"])
def test_a_limit_is_waited_for(tarn, source, deployment, undisturbed, limits):
    source.server.control("POST", "limits", limits)
    synced(tarn, source, env={"API_RETRY": "0"})
    refused = source.server.control("GET", "limits")["refused"]
    # Those under way may be refused, but nobody keeps on asking.
    assert 1 <= refused <= 2 * 2 * 16
    assert_same(tarn, undisturbed[deployment])


@pytest.mark.parametrize("rule", [
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}, "after": 5, "times": 4},
    {"kind": "status", "status": 500, "p": 0.2, "seed": 1, "times": 8},
    {"kind": "status", "status": 503, "body": "<html>Maintenance</html>", "headers": {"Retry-After": "1"}, "after": 3, "times": 3},
    {"kind": "cut", "p": 0.2, "seed": 2, "times": 6},
    {"kind": "drop", "p": 0.2, "seed": 3, "times": 6},
    # A broken answer is asked for again three times.
    {"kind": "garbage", "p": 0.1, "seed": 4, "times": 3},
    {"kind": "truncate_json", "p": 0.1, "seed": 5, "times": 3},
    {"kind": "delay", "ms": 300, "p": 0.2, "seed": 6, "times": 8},
], ids=["429", "500", "503", "cut", "drop", "garbage", "half of the JSON", "delay"])
def test_a_passing_fault_leaves_no_trace(tarn, source, deployment, undisturbed, rule):
    source.fault({"match": "^/rest/", **rule})
    synced(tarn, source, env=PATIENT)
    assert source.server.control("GET", "faults")[0]["fired"] == rule["times"]
    assert_same(tarn, undisturbed[deployment])


# ---- refusals

DETAILS = ("/changelog", "/worklog", "/remotelink", "api/2/user\\?", "api/./issue/[^/]+\\?")


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_detail_that_is_refused_is_left_out(tarn, source, deployment, undisturbed, status):
    body = {"errorMessages": ["No."], "errors": {}}
    source.fault(*({"match": path, "kind": "status", "status": status, "times": -1, "body": body} for path in DETAILS))
    synced(tarn, source)
    rows = Rows(tarn)
    assert len(rows["board_issues"]) == 40 and not rows["_tool_jira_remotelinks"]
    source.heal()
    synced(tarn, source, "--full")
    assert_same(tarn, undisturbed[deployment])


def test_refused_details_of_one_issue_spare_the_others(tarn, source, deployment, undisturbed):
    linked = next(issue["id"] for issue in source.world.issues.values() if issue["remotelinks"])
    source.fault({"match": f"/issue/{linked}/remotelink", "kind": "status", "status": 404, "times": -1})
    synced(tarn, source)
    found = {row["issue_id"] for row in Rows(tarn)["_tool_jira_remotelinks"].values()}
    all_linked = {row["issue_id"] for row in undisturbed[deployment]["_tool_jira_remotelinks"].values()}
    assert linked in all_linked and found == all_linked - {linked}


@pytest.mark.parametrize("path, status", [
    ("/board/1/issue", 404), ("/board/1/issue", 500), ("api/2/status", 500), ("/board/1/sprint", 500)])
def test_a_missing_list_fails_the_run_and_says_which(tarn, source, deployment, undisturbed, path, status):
    source.fault({"match": path, "kind": "status", "status": status, "times": -1})
    done = sync(tarn, source)
    assert done.returncode == 1, done.stdout
    assert str(status) in done.stderr and path.strip("/") in done.stderr, done.stderr
    source.heal()
    synced(tarn, source)
    assert_same(tarn, undisturbed[deployment])


def test_html_for_ever_fails_the_run_and_says_so(tarn, source, deployment, undisturbed):
    source.fault({"match": "/board/1/issue", "kind": "garbage", "times": -1})
    done = sync(tarn, source)
    assert done.returncode == 1
    assert "HTML" in done.stderr or "JSON" in done.stderr, done.stderr
    assert "board/1/issue" in done.stderr
    source.heal()
    synced(tarn, source)
    assert_same(tarn, undisturbed[deployment])


@pytest.mark.parametrize("after", [2, 6, 20])
def test_a_token_that_ends_fails_the_run_and_the_next_goes_on(tarn, source, deployment, undisturbed, after):
    source.fault({"match": "^/rest/", "kind": "status", "status": 401, "after": after, "times": -1, "body": "<html>Unauthorized</html>"})
    done = sync(tarn, source)
    assert done.returncode == 1 and "401" in done.stderr and "$TEST_TOKEN" in done.stderr, done.stderr
    source.heal()
    synced(tarn, source)
    assert_same(tarn, undisturbed[deployment])


def test_a_failed_later_run_loses_no_change(program, settled, source, tmp_path):
    source.change("update_issue", issue="ALPHA-21", summary="While it fails")
    source.change("add_worklog", issue="ALPHA-22", count=30)
    source.fault({"match": "/(worklog|sprint)", "kind": "status", "status": 500, "times": -1})
    assert sync(settled, source).returncode == 1
    source.heal()
    synced(settled, source)
    assert_same(settled, fresh_rows(program, tmp_path, source))


def test_a_time_zone_that_cannot_be_asked_loses_no_change(program, settled, source, tmp_path):
    source.change("update_issue", issue="ALPHA-21", summary="Who am I?")
    source.fault({"match": "/myself", "kind": "status", "status": 404, "times": -1})
    synced(settled, source)
    source.heal()
    assert_same(settled, fresh_rows(program, tmp_path, source))


# ---- items that are not what they should be

def put_aside(done):
    line = next((line for line in done.stdout.splitlines() if line.endswith(" rows were put aside")), "0")
    return int(line.split()[0])


def test_malformed_issues_are_put_aside_and_healed(program, tarn, source, tmp_path):
    spoiled = source.change("malformed", count=30, kind=[kind for kind in KINDS if kind != "no_id"])["ids"]
    done = synced(tarn, source)
    rejects = tarn.query("select raw_table, path, reason from _tarn_rejects")
    # An epic that is spoiled in the list is asked for by its key, and spoiled there, too.
    of = [row["raw_table"] for row in rejects]
    assert of.count("_raw_jira_api_issues") == 30 and set(of) <= {"_raw_jira_api_issues", "_raw_jira_api_epics"}
    assert put_aside(done) >= len(rejects) and all(row["reason"] for row in rejects)
    held = {key[2] for key in Rows(tarn)["_tool_jira_board_issues"]}
    assert len(held) in (10, 11) and not held & set(spoiled)
    source.change("malformed", count=0)
    done = synced(tarn, source, "--full")
    assert put_aside(done) == 0
    assert_same(tarn, fresh_rows(program, tmp_path, source))


def test_an_issue_without_its_id_is_told(tarn, source):
    source.change("malformed", count=3, kind="no_id")
    assert put_aside(synced(tarn, source)) >= 3
    assert tarn.value("select count(*) from _tarn_rejects where raw_table = '_raw_jira_api_issues'") == 3


def test_an_issue_of_five_megabytes(tarn, deployment):
    source = new_world(deployment)
    text = "große Beschreibung " * 270_000
    source.change("update_issue", issue="ALPHA-20", description=text)
    assert len(text.encode()) > 5_000_000
    done = synced(tarn, source)
    key = source.world.keys["ALPHA-20"]
    rows = Rows(tarn)
    assert len(rows["board_issues"]) == 40 + 1 - put_aside(done)
    if (1, key) in rows["_tool_jira_issues"]:
        assert rows["_tool_jira_issues"][1, key]["description"].strip() == text.strip()
    else:
        assert put_aside(done) == 1


# ---- settings

BUG = {"Bug": {"standardType": "INCIDENT", "statusMappings": {
    "done": {"standardStatus": "DONE"}, "no-such-status": {"standardStatus": "DONE"}, "new": {"standardStatus": "IN_PROGRESS"}}}}


def config(served, connection, **fields):
    answer = served.call("POST", f"/plugins/jira/connections/{connection}/scope-configs", {"name": "mine", **fields})
    if answer.status_code == 404:
        pytest.skip("the API has no scope configs yet")
    return answer


def run_with(served, source, **fields):
    connection = connected(served, source)
    answer = config(served, connection, **fields)
    assert answer.status_code == 201, answer.text
    add_board(served, connection, 1, scopeConfigId=answer.json()["id"])
    return run_boards(served, connection, [1])


def test_types_and_statuses_are_mapped_and_an_unknown_status_harms_nothing(served, tarn, source):
    pipeline = run_with(served, source, typeMappings=BUG, storyPointField="customfield_10016", dueDateField="customfield_10042")
    assert pipeline["status"] == "TASK_COMPLETED", pipeline
    rows = Rows(tarn)
    wanted = {"done": "DONE", "new": "IN_PROGRESS"}
    issues = {int(issue["id"]): issue["fields"] for issue in source.issues()}
    bugs = [key for key, fields in issues.items() if fields["issuetype"]["name"] == "Bug"]
    assert bugs
    for key in bugs:
        row = rows["issues"][(f"jira:JiraIssue:1:{key}",)]
        assert row["type"] == "INCIDENT"
        assert row["status"] == wanted.get(issues[key]["status"]["statusCategory"]["key"], "IN_PROGRESS")
    for key, fields in issues.items():
        row = rows["_tool_jira_issues"][1, key]
        assert row["story_point"] == (fields["customfield_10016"] or 0), key
        assert (row["due_date"] or "")[:10] in (fields["duedate"] or "", row["due_date"] and row["due_date"][:10]), key


def test_story_points_may_be_a_text(served, tarn, source):
    assert run_with(served, source, storyPointField="customfield_10041")["status"] == "TASK_COMPLETED"
    points = {row["story_point"] for row in Rows(tarn)["_tool_jira_issues"].values()}
    assert {0.5, 8} & points


def test_commits_of_remote_links(served, tarn, source):
    pipeline = run_with(served, source, remotelinkCommitShaPattern=r"/-/commit/([0-9a-f]{40})$", remotelinkRepoPattern=[{
        "pattern": "https://git.example.com/{namespace}/{repo_name}/-/commit/{commit_sha}",
        "regex": r"https://git.example.com/(?P<namespace>\S+)/(?P<repo_name>\S+)/-/commit/(?P<commit_sha>\w{40})"}])
    assert pipeline["status"] == "TASK_COMPLETED", pipeline
    rows = Rows(tarn)
    issues = source.issues()
    shown = [*issues, *source.outside_epics(issues)]
    wanted = {(f"jira:JiraIssue:1:{issue['id']}", link["object"]["url"].rsplit("/", 1)[-1]) for issue in shown
              for link in source.one(f"api/2/issue/{issue['id']}/remotelink")}
    assert wanted and set(rows["issue_commits"]) == wanted
    assert {row["namespace"] for row in rows["issue_repo_commits"].values()} == {"group"}
    assert all(row["repo_url"].startswith("https://git.example.com/group/repo-") for row in rows["issue_repo_commits"].values())


def test_commits_of_the_development_panel(served, tarn, source):
    source.requests()
    assert run_with(served, source, applicationType="GitLab")["status"] == "TASK_COMPLETED"
    counts = source.requests()
    assert counts.get("dev-status/1.0/issue/detail") and not [stream for stream in counts if "remotelink" in stream]
    own = [issue for issue in source.world.issues.values() if issue["project"] == "ALPHA"]
    wanted = {(f"jira:JiraIssue:1:{issue['id']}", commit["sha"]) for issue in own for commit in issue["commits"]}
    assert set(Rows(tarn)["issue_commits"]) == wanted


@pytest.mark.parametrize("fields", [
    {"remotelinkCommitShaPattern": "(["},
    {"remotelinkRepoPattern": [{"pattern": "x", "regex": "(?P<repo_name>"}]},
], ids=["sha", "repository"])
def test_a_pattern_that_does_not_compile_is_refused_with_its_place(served, fields):
    source = new_world()
    connection = connected(served, source)
    answer = config(served, connection, **fields)
    if answer.status_code == 201:
        add_board(served, connection, 1, scopeConfigId=answer.json()["id"])
        pipeline = run_boards(served, connection, [1])
        assert pipeline["status"] == "TASK_FAILED" and next(iter(fields)) in pipeline["message"], pipeline
    else:
        assert answer.status_code == 400 and next(iter(fields)) in answer.text, answer.text


@pytest.mark.parametrize("mapping", ["nonsense", {"Bug": "INCIDENT"}, {"Bug": {"statusMappings": ["done"]}}, [1]])
def test_a_mapping_of_another_shape_is_refused_or_without_effect(served, tarn, mapping):
    source = new_world()
    connection = connected(served, source)
    answer = config(served, connection, typeMappings=mapping)
    if answer.status_code != 201:
        assert answer.status_code == 400 and "typeMappings" in answer.text, answer.text
        return
    add_board(served, connection, 1, scopeConfigId=answer.json()["id"])
    pipeline = run_boards(served, connection, [1])
    assert pipeline["status"] == "TASK_COMPLETED" or "typeMappings" in pipeline["message"], pipeline


def test_a_secret_does_not_show(served, tarn, deployment):
    source = new_world(deployment)
    connection = connected(served, source)
    add_board(served, connection, 1)
    source.fault({"match": "/board/1/issue", "kind": "status", "status": 403, "times": -1})
    pipeline = run_boards(served, connection, [1])
    shown = pipeline["message"] + served.call("GET", f"/plugins/jira/connections/{connection}").text
    for secret in (jira.TOKEN, base64.b64encode(f"{jira.USER}:{jira.TOKEN}".encode()).decode()):
        assert secret not in shown
