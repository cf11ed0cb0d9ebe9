"""GitHub from end to end: a first run, a run without news, a run after changes, deletions at the source."""

import json
import re
import time

import pytest

from conftest import Tarn
from rows import RAW_TABLES, TABLES, Rows, assert_same, differences
from source import SMALL, fresh_rows, new_world, read_once, settled, source, synced  # noqa: F401 (fixtures)
from table_rows import assert_origins

CONNECTION = 1


@pytest.fixture(scope="module")
def whole(program):
    """What a home holds after its first run, and the source: only to be read."""
    home = read_once(program)
    source = new_world()
    return Rows(Tarn(program, home)), source


# ---- expectations

def moment(text):
    return text and text.replace("T", " ").rstrip("Z")


def login(user):
    return user["login"] if user else ""


def number(item):
    return item["id"] if item else 0


def expect(rows, wanted):
    """The rows have exactly the wanted keys, and in them the wanted columns."""
    assert rows.keys() == wanted.keys()
    for key, columns in wanted.items():
        got = {name: rows[key][name] for name in columns}
        assert got == columns, key


def json_texts(rows, column):
    """key -> the text that the column holds as JSON."""
    return {key: json.loads(row[column]) for key, row in rows.items()}


# ---- the first run

def test_issues_arrive(whole):
    rows, source = whole
    issues = source.issues()
    assert len(issues) == SMALL["issues"]
    expect(rows["_tool_github_issues"], {(CONNECTION, issue["id"]): {
        "number": issue["number"], "title": issue["title"], "state": issue["state"], "author_name": login(issue["user"]),
        "author_id": number(issue["user"]), "assignee_id": number(issue["assignee"]), "milestone_id": number(issue["milestone"]),
        "closed_at": moment(issue["closed_at"]), "github_created_at": moment(issue["created_at"]),
        "github_updated_at": moment(issue["updated_at"]), "url": issue["html_url"]} for issue in issues})
    expect(rows["issues"], {(f"github:GithubIssue:1:{issue['id']}",): {
        "title": issue["title"], "issue_key": str(issue["number"]), "status": "DONE" if issue["state"] == "closed" else "TODO",
        "original_type": ",".join(label["name"] for label in issue["labels"]), "created_date": moment(issue["created_at"]),
        "resolution_date": moment(issue["closed_at"]), "creator_name": login(issue["user"])} for issue in issues})
    bodies = {issue["id"]: issue["body"] for issue in issues}
    assert None in bodies.values() and "" in bodies.values() and max(len(body or "") for body in bodies.values()) > 200_000
    assert any("\0" in body for body in bodies.values() if body) and any("🚨" in issue["title"] for issue in issues)
    assert any(issue["user"] is None for issue in issues)
    assert {key[1]: body for key, body in json_texts(rows["_tool_github_issues"], "body").items()} == bodies
    assert {int(key[0].split(":")[-1]): body for key, body in json_texts(rows["issues"], "description").items()} == bodies


def test_labels_and_assignees_arrive(whole):
    rows, source = whole
    issues = source.issues()
    labels = {(issue["id"], label["name"]) for issue in issues for label in issue["labels"]}
    assert any(name == "日本語ラベル" for _, name in labels) and any('"' in name for _, name in labels)
    assert {key[1:] for key in rows["_tool_github_issue_labels"]} == labels
    assert {(int(key[0].split(":")[-1]), key[1]) for key in rows["issue_labels"]} == labels
    assignees = {(issue["id"], user["id"]) for issue in issues for user in issue["assignees"]}
    assert {(key[1], key[3]) for key in rows["_tool_github_issue_assignees"]} == assignees
    assert {tuple(int(part.split(":")[-1]) for part in key) for key in rows["issue_assignees"]} == assignees
    pull_labels = {(pull["id"], label["name"]) for pull in source.pulls() for label in pull["labels"]}
    assert {key[1:] for key in rows["_tool_github_pull_request_labels"]} == pull_labels


def test_comments_arrive_at_issues_and_pull_requests(whole):
    rows, source = whole
    pulls = {pull["number"]: pull["id"] for pull in source.pulls()}
    issues = {issue["number"]: issue["id"] for issue in source.issues()}
    at_issue, at_pull = {}, {}
    for comment in source.list("issues/comments"):
        of = int(comment["issue_url"].split("/")[-1])
        columns = {"author_username": login(comment["user"]), "github_updated_at": moment(comment["updated_at"])}
        if of in pulls:
            at_pull[CONNECTION, comment["id"]] = {"pull_request_id": pulls[of], "type": "NORMAL", **columns}
        else:
            at_issue[CONNECTION, comment["id"]] = {"issue_id": issues[of], **columns}
    for comment in source.list("pulls/comments"):
        of = int(comment["pull_request_url"].split("/")[-1])
        at_pull[CONNECTION, comment["id"]] = {
            "pull_request_id": pulls[of], "type": "DIFF", "commit_sha": comment["commit_id"],
            "review_id": comment["pull_request_review_id"] or 0, "author_username": login(comment["user"])}
    assert at_issue and at_pull
    expect(rows["_tool_github_issue_comments"], at_issue)
    expect(rows["_tool_github_pull_request_comments"], at_pull)
    assert len(rows["issue_comments"]) == len(at_issue)
    bodies = {comment["id"]: comment["body"] for comment in source.list("issues/comments")}
    for key, body in json_texts(rows["_tool_github_issue_comments"], "body").items():
        assert body == bodies[key[1]], key


def test_events_of_known_people_arrive(whole):
    rows, source = whole
    events = source.list("issues/events")
    assert any(event["actor"] is None for event in events)
    expect(rows["_tool_github_issue_events"], {(CONNECTION, event["id"]): {
        "issue_id": event["issue"]["id"], "type": event["event"], "author_username": login(event["actor"])}
        for event in events if event["actor"]})


def test_pull_requests_arrive(whole):
    rows, source = whole
    pulls = source.pulls()
    assert {pull["state"] for pull in pulls} == {"open", "closed"} and any(pull["merged_at"] for pull in pulls)
    assert any(pull["head"]["repo"] is None for pull in pulls)
    expect(rows["_tool_github_pull_requests"], {(CONNECTION, pull["id"]): {
        "number": pull["number"], "title": pull["title"], "merged_at": moment(pull["merged_at"]),
        "head_repo_id": number(pull["head"]["repo"]), "head_commit_sha": pull["head"]["sha"], "base_ref": pull["base"]["ref"],
        "is_draft": pull["draft"], "merge_commit_sha": pull["merge_commit_sha"] or ""} for pull in pulls})
    expect(rows["pull_requests"], {(f"github:GithubPullRequest:1:{pull['id']}",): {
        "status": "MERGED" if pull["merged_at"] else pull["state"].upper(), "pull_request_key": pull["number"],
        "merged_date": moment(pull["merged_at"])} for pull in pulls})
    assert {key[1]: body for key, body in json_texts(rows["_tool_github_pull_requests"], "body").items()} == {
        pull["id"]: pull["body"] for pull in pulls}


def test_commits_and_reviews_of_pull_requests_arrive(whole):
    rows, source = whole
    pulls = source.pulls()
    commits = source.below(pulls, "pulls/{}/commits")
    assert {(key[1], key[2]) for key in rows["_tool_github_pull_request_commits"]} == {(commit["sha"], pull["id"]) for pull, commit in commits}
    assert {key[1] for key in rows["pull_request_commits"]} == {commit["sha"] for _, commit in commits}
    reviews = source.below(pulls, "pulls/{}/reviews")
    shown = [(pull, review) for pull, review in reviews if review["state"] != "PENDING" and review["user"]]
    assert 0 < len(shown) < len(reviews) == SMALL["reviews"]
    expect(rows["_tool_github_pull_request_reviews"], {(CONNECTION, review["id"]): {
        "pull_request_id": pull["id"], "state": review["state"], "body": review["body"],
        "github_submit_at": moment(review["submitted_at"])} for pull, review in shown})
    assert {(key[1], key[2]) for key in rows["_tool_github_reviewers"]} == {(review["user"]["id"], pull["id"]) for pull, review in shown}


def test_milestones_arrive_as_sprints(whole):
    rows, source = whole
    milestones = source.list("milestones", state="all")
    assert len(milestones) == SMALL["milestones"]
    expect(rows["_tool_github_milestones"], {(CONNECTION, milestone["id"]): {
        "title": milestone["title"], "state": milestone["state"], "open_issues": milestone["open_issues"],
        "closed_at": moment(milestone["closed_at"])} for milestone in milestones})
    assert {row["name"] for row in rows["sprints"].values()} == {milestone["title"] for milestone in milestones}
    in_sprint = {(issue["milestone"]["id"], issue["id"]) for issue in source.issues() if issue["milestone"]}
    assert {tuple(int(part.split(":")[-1]) for part in key) for key in rows["sprint_issues"]} == in_sprint


def test_runs_and_jobs_arrive(whole):
    rows, source = whole
    runs = source.list("actions/runs")
    assert len(runs) == SMALL["runs"] and any(run["status"] != "completed" for run in runs)
    repo = source.one("/repos/octo/alpha")["id"]
    expect(rows["_tool_github_runs"], {(CONNECTION, repo, run["id"]): {
        "name": run["name"], "status": run["status"], "conclusion": run["conclusion"] or "", "run_attempt": run["run_attempt"],
        "head_sha": run["head_sha"], "github_updated_at": moment(run["updated_at"])} for run in runs})
    assert len(rows["cicd_pipelines"]) == len(rows["cicd_pipeline_commits"]) == len(runs)
    jobs = [job for _, job in source.below(runs, "actions/runs/{}/jobs", "id")]
    expect(rows["_tool_github_jobs"], {(CONNECTION, repo, job["id"]): {
        "run_id": job["run_id"], "name": job["name"], "started_at": moment(job["started_at"]),
        "completed_at": moment(job["completed_at"]), "conclusion": (job["conclusion"] or "").upper()} for job in jobs})
    assert {row["name"] for row in rows["cicd_tasks"].values()} <= {job["name"] for job in jobs}
    assert len(rows["cicd_tasks"]) == sum(job["started_at"] is not None for job in jobs)


def test_deployments_and_releases_arrive(whole):
    rows, source = whole
    deployments = source.list("deployments")
    statuses = {deployment["id"]: source.list(f"deployments/{deployment['id']}/statuses") for deployment in deployments}
    latest = {key: found[0]["state"].upper() if found else "" for key, found in statuses.items()}
    expect(rows["_tool_github_deployments"], {(CONNECTION, deployment["node_id"]): {
        "database_id": deployment["id"], "commit_oid": deployment["sha"], "environment": deployment["environment"],
        "latest_status_state": latest[deployment["id"]], "created_date": moment(deployment["created_at"])}
        for deployment in deployments})
    assert len(rows["cicd_deployments"]) == len(rows["cicd_deployment_commits"]) == SMALL["deployments"]
    releases = source.list("releases")
    expect(rows["_tool_github_releases"], {(CONNECTION, release["node_id"]): {
        "tag_name": release["tag_name"], "name": release["name"] or "", "description": release["body"] or "",
        "is_draft": release["draft"], "is_prerelease": release["prerelease"]} for release in releases})
    assert len(rows["cicd_releases"]) == sum(release["published_at"] is not None for release in releases)


def test_people_arrive_but_for_those_who_left(whole):
    rows, source = whole
    people = {user["id"]: user["login"] for item in (*source.issues(), *source.pulls(), *source.list("issues/comments"))
              for user in (item["user"],) if user}
    known = {key[1]: row["login"] for key, row in rows["_tool_github_repo_accounts"].items()}
    assert people.items() <= known.items()
    gone = set(source.server.control("GET", "state")["gone_users"])
    assert gone & set(known.values()), "no deleted user takes part"
    profiles = {name: source.one(f"/users/{name}") for name in known.values()}
    expect(rows["_tool_github_accounts"], {(CONNECTION, profile["id"]): {
        "login": profile["login"], "name": profile["name"] or "", "company": profile["company"] or "",
        "email": profile["email"] or ""} for profile in profiles.values() if profile})
    # A deleted user keeps an account without a profile.
    assert {row["user_name"] for row in rows["accounts"].values()} == set(known.values())


def test_every_row_says_where_it_comes_from(whole):
    rows, _ = whole
    assert_origins(rows, '{"ConnectionId":1,"Name":"octo/alpha"}')


def test_two_first_runs_give_the_same_rows_with_the_same_numbers(program, tmp_path, source):
    numbered = []
    for folder in ("one", "two"):
        tarn = Tarn(program, tmp_path / folder)
        synced(tarn, source)
        rows = Rows(tarn)
        numbered.append({name: {key: (row.get("id"), row.get("_raw_data_id")) for key, row in found.items()}
                         for name, found in rows.items()})
        numbered.append(rows.comparable())
    assert not differences(numbered[3], numbered[1])
    assert numbered[2] == numbered[0]


# ---- a run without news

# The most requests that a run without news may need: one a list, none for what hangs on an item.
LISTS = ("issues", "issues/comments", "issues/events", "pulls", "pulls/comments", "milestones", "actions/runs", "deployments", "releases")


def test_a_run_without_news_writes_nothing_and_asks_little(settled, source):
    open_runs = sum(run["status"] != "completed" for run in source.list("actions/runs"))
    open_deployments = sum(not statuses or statuses[0]["state"] in ("queued", "in_progress", "pending")
                           for statuses in (source.list(f"deployments/{deployment['id']}/statuses") for deployment in source.list("deployments")))
    assert open_runs
    before = Rows(settled)
    for _ in range(2):
        source.requests()
        done = synced(settled, source)
        counts = source.requests()
        for stream, count in sorted(counts.items()):
            print(f"{stream:40} {count}")
        assert Rows(settled).written_since(before) == {}
        assert done.stdout.startswith("nothing has changed\n")
        most = {f"repos/*/{name}": 1 for name in LISTS}
        # Unfinished ones are looked at, as no list tells of their end.
        most |= {"repos/*/actions/runs/*": open_runs, "repos/*/deployments/*": open_deployments}
        too_many = {stream: count for stream, count in counts.items() if count > most.get(stream, 0)}
        assert not too_many
        assert re.search(rf"^{sum(counts.values())} requests, ", done.stdout, re.M)


# ---- a run after changes

def ids(rows, name, column):
    """The last parts of a column's values: those are GitHub's own ids."""
    return {str(row[column]).rsplit(":", 1)[-1] for row in rows[name].values()}


def test_only_what_changed_is_written(program, settled, source, tmp_path):
    before = Rows(settled)
    issues, pulls = source.issues(), source.pulls()
    renamed, unlabelled, discussed = [issue for issue in issues if issue["labels"] and issue["user"]][:3]
    merged, reviewed = [pull for pull in pulls if pull["state"] == "open"][:2]
    comment = next(comment for comment in source.list("issues/comments")
                   if int(comment["issue_url"].split("/")[-1]) in {issue["number"] for issue in issues})
    deployment = source.list("deployments")[0]
    old_events = {event["id"] for event in source.list("issues/events")}

    source.change("update_issue", number=renamed["number"], title="Renamed – größer")
    source.change("remove_label", number=unlabelled["number"], label=unlabelled["labels"][0]["name"])
    said = source.change("add_comment", number=discussed["number"], body="New 🆕")["id"]
    source.change("edit_comment", id=comment["id"], body="Edited")
    source.change("merge_pull", number=merged["number"])
    review = source.change("add_review", number=reviewed["number"], state="APPROVED", body="Fine")["id"]
    runs = source.change("complete_runs")["ids"]
    source.change("add_deployment_status", id=deployment["id"], state="failure")
    added = source.change("add_issue", title="Brand new", body=None, labels=["bug"])["id"]

    source.requests()
    synced(settled, source)
    print(source.requests())
    after = Rows(settled)
    touched_issues = {str(item["id"]) for item in (renamed, unlabelled, discussed)} | {str(added)}
    # A pull request is in the list of issues, too, under another id.
    as_issue = {str(item["id"]) for item in source.list("issues", state="all") if item["number"] in (merged["number"], reviewed["number"])}
    touched_pulls = {str(merged["id"]), str(reviewed["id"])}
    new_events = {str(event["id"]) for event in source.list("issues/events") if event["id"] not in old_events}
    jobs = {str(job["id"]) for run in runs for job in source.list(f"actions/runs/{run}/jobs")}
    touched_runs = {str(run) for run in runs}
    allowed = {
        "_raw_github_api_issues": touched_issues | as_issue, "_raw_github_api_comments": {str(said), str(comment["id"])},
        "_raw_github_api_events": new_events, "_raw_github_api_pull_requests": touched_pulls,
        "_raw_github_api_pull_request_reviews": {str(review)}, "_raw_github_api_runs": touched_runs, "_raw_github_api_jobs": jobs,
        "_raw_github_api_deployments": {str(deployment["id"])}, "_tool_github_issues": touched_issues,
        "_tool_github_issue_labels": touched_issues, "_tool_github_issue_assignees": {str(added)},
        "_tool_github_issue_comments": {str(said), str(comment["id"])}, "_tool_github_issue_events": new_events,
        "_tool_github_pull_requests": touched_pulls, "_tool_github_pull_request_reviews": {str(review)},
        "_tool_github_reviewers": {str(reviewed["id"])}, "_tool_github_runs": touched_runs, "_tool_github_jobs": jobs,
        "issues": touched_issues, "issue_labels": touched_issues, "issue_assignees": {str(added)}, "board_issues": {str(added)},
        "sprint_issues": {str(added)}, "issue_comments": {str(said), str(comment["id"])}, "pull_requests": touched_pulls,
        "pull_request_comments": {str(review)}, "pull_request_reviewers": {str(reviewed["id"])}, "cicd_pipelines": touched_runs,
        "cicd_pipeline_commits": touched_runs, "cicd_tasks": jobs}
    subject = {"_tool_github_issues": "github_id", "_tool_github_issue_labels": "issue_id", "_tool_github_issue_assignees": "issue_id",
               "_tool_github_issue_comments": "github_id", "_tool_github_issue_events": "github_id",
               "_tool_github_pull_requests": "github_id", "_tool_github_pull_request_reviews": "github_id",
               "_tool_github_reviewers": "pull_request_id", "issue_labels": "issue_id", "issue_assignees": "issue_id",
               "board_issues": "issue_id", "sprint_issues": "issue_id", "pull_request_reviewers": "pull_request_id",
               "cicd_pipeline_commits": "pipeline_id"}
    # Exactly one each: the deployment in three shapes, counts of the milestones.
    counted = {"_raw_github_api_deployment_statuses": 1, "_tool_github_deployments": 1, "cicd_deployments": 1, "cicd_deployment_commits": 1}
    people = {"_tool_github_repo_accounts", "_tool_github_accounts", "accounts", "_raw_github_api_accounts", "_raw_github_api_account_orgs",
              "_tool_github_account_orgs"}
    written = after.written_since(before)
    for name, keys in written.items():
        found = {key: after[name].get(key) or before[name][key] for key in keys}
        if name in allowed:
            column = subject.get(name, "id")
            of = {str((json.loads(row["data"]) if name in RAW_TABLES else row)[column]).rsplit(":", 1)[-1] for row in found.values()}
            assert of <= allowed[name], name
        else:
            assert name in counted or name in people or "milestone" in name or name == "sprints", name
    for name, count in counted.items():
        assert len(written.get(name, ())) == count, name
    for name in ("issues", "issue_comments", "_tool_github_pull_requests", "cicd_pipelines"):
        assert len(written[name]) == len(allowed[name]), name
    assert {key[0] for key in written["pull_requests"]} == {f"github:GithubPullRequest:1:{merged['id']}"}
    assert not {name for name in people & written.keys() if name.startswith("_raw_")}, "known people were read again and differ"

    assert_same(settled, fresh_rows(program, tmp_path, source))


def test_what_changes_within_the_second_of_the_last_run_arrives(program, settled, source, tmp_path):
    source.requests()
    synced(settled, source)
    asked = source.server.control("GET", "requests")["requests"]
    second = int(max(entry["t"] for entry in asked if entry["stream"] == "repos/*/pulls"))
    for change in ({"op": "add_review", "number": source.pulls()[3]["number"]}, {"op": "add_comment", "number": source.issues()[3]["number"]},
                   {"op": "add_runs"}, {"op": "add_deployment_status"}, {"op": "edit_comment"}):
        # The fake's clock goes on by a minute before each change.
        source.server.control("POST", "change", {"op": "clock", "now": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second - 60))})
        assert source.change(**change)["now"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
    synced(settled, source)
    assert_same(settled, fresh_rows(program, tmp_path, source))


def test_a_new_status_of_an_old_deployment_arrives(program, settled, source, tmp_path):
    ended = next(deployment for deployment in source.list("deployments")[2:]
                 if (statuses := source.list(f"deployments/{deployment['id']}/statuses")) and statuses[0]["state"] == "success")
    source.change("add_deployment_status", id=ended["id"], state="inactive")
    synced(settled, source)
    assert Rows(settled)["_tool_github_deployments"][CONNECTION, ended["node_id"]]["state"] == "INACTIVE"
    assert_same(settled, fresh_rows(program, tmp_path, source))


# ---- deletions at the source

def test_what_vanishes_from_a_whole_list_vanishes_here(program, settled, source, tmp_path):
    milestone = next(milestone for milestone in source.list("milestones", state="all") if milestone["open_issues"] + milestone["closed_issues"])
    release = source.list("releases")[1]
    pull = source.pulls()[0]
    old = {commit["sha"] for commit in source.list(f"pulls/{pull['number']}/commits")}
    source.change("delete_milestone", number=milestone["number"])
    source.change("delete_release", id=release["id"])
    pushed = {commit for commit in source.change("push_pull", number=pull["number"], commits=3)["commits"]}
    synced(settled, source)
    rows = Rows(settled)
    for name, column in (("_tool_github_milestones", "milestone_id"), ("board_sprints", "sprint_id"), ("sprint_issues", "sprint_id")):
        assert str(milestone["id"]) not in ids(rows, name, column), name
    assert release["node_id"] not in ids(rows, "_tool_github_releases", "id") | ids(rows, "cicd_releases", "id")
    commits = {key[1] for key in rows["_tool_github_pull_request_commits"] if key[2] == pull["id"]}
    assert commits == pushed and not commits & old
    assert {key[1] for key in rows["pull_request_commits"] if key[0].endswith(f":{pull['id']}")} == pushed
    # Issues that lose a milestone do not become newer: a whole run tells.
    synced(settled, source, "--full")
    assert_same(settled, but_for_shared(Rows(settled), fresh_rows(program, tmp_path, source)))


def test_a_new_attempt_of_a_completed_run_arrives(settled, source):
    """Runs are listed by the time of creation; those that may still get a new attempt are listed again."""
    def status():
        synced(settled, source)
        (found,) = settled.query(f"select status from _tool_github_runs where id = {run}")
        return found["status"]

    (run,) = source.change("add_runs")["ids"]
    assert status() == "completed"
    source.change("rerun", id=run)
    assert status() == "in_progress"


def test_the_sprint_of_a_deleted_milestone_leaves_its_board(settled, source):
    """The row in `sprints` stays: boards share sprints, and another one may still show it."""
    milestone = next(milestone for milestone in source.list("milestones", state="all") if milestone["open_issues"] + milestone["closed_issues"])
    assert str(milestone["id"]) in ids(Rows(settled), "board_sprints", "sprint_id")
    source.change("delete_milestone", number=milestone["number"])
    synced(settled, source)
    assert str(milestone["id"]) not in ids(Rows(settled), "board_sprints", "sprint_id")


def but_for_shared(rows, wanted):
    """Rows of tables that several scopes share stay when their items are gone: `wanted` with those of `rows` added."""
    mine = rows.comparable()
    return {name: {**mine[name], **found} if name in TABLES and TABLES[name].shared else found for name, found in wanted.items()}


def test_a_deleted_issue_goes_with_the_next_full_run(program, settled, source, tmp_path):
    counted = {}
    for comment in source.list("issues/comments"):
        counted.setdefault(int(comment["issue_url"].split("/")[-1]), comment)
    issue = next(issue for issue in source.issues() if issue["labels"] and issue["assignees"] and issue["number"] in counted)
    key, domain = (CONNECTION, issue["id"]), (f"github:GithubIssue:1:{issue['id']}",)
    source.change("delete_issue", number=issue["number"])
    synced(settled, source)
    rows = Rows(settled)
    assert key in rows["_tool_github_issues"] and domain in rows["issues"]
    synced(settled, source, "--full")
    rows = Rows(settled)
    assert key not in rows["_tool_github_issues"] and domain not in rows["issues"]
    for name, column in (("issue_labels", "issue_id"), ("issue_assignees", "issue_id"), ("board_issues", "issue_id"),
                         ("issue_comments", "issue_id"), ("_tool_github_issue_events", "issue_id"), ("_tool_github_issue_comments", "issue_id")):
        assert str(issue["id"]) not in ids(rows, name, column), name
    assert_same(settled, but_for_shared(rows, fresh_rows(program, tmp_path, source)))


def test_a_full_run_without_news_writes_nothing(settled, source):
    before = Rows(settled)
    done = synced(settled, source, "--full")
    assert Rows(settled).written_since(before) == {}
    assert done.stdout.startswith("nothing has changed\n")


def test_skipping_the_collectors_asks_nothing(settled, source):
    before = Rows(settled)
    source.requests()
    synced(settled, source, "--skip-collectors")
    assert source.requests() == {}
    assert Rows(settled).written_since(before) == {}


def test_a_taken_back_change_leaves_the_rows_as_they_were(settled, source):
    want = Rows(settled).comparable()
    label = source.change("add_issue", title="For a moment", labels=["docs"])["number"]
    synced(settled, source)
    source.change("delete_issue", number=label)
    synced(settled, source, "--full")
    assert_same(settled, but_for_shared(Rows(settled), want))
