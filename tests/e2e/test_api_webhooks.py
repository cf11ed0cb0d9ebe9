"""Webhooks: themselves, their keys, and what they post."""

import hashlib

import pytest
import requests

import control_rows
from api_fixtures import api  # noqa: F401

ON_SERVERS = True

ALL = "/plugins/webhook/connections"
START, END = "2026-03-01T10:00:00Z", "2026-03-01T10:02:03.500Z"


def deployment(number=1, **fields):
    return {"id": f"deploy-{number}", "startedDate": START, "finishedDate": END,
            "deploymentCommits": [{"repoUrl": "https://git.example/a", "commitSha": "c0ffee", "startedDate": START, "finishedDate": END}],
            **fields}


def issue(key="DLK-1", **fields):
    return {"issueKey": key, "title": "A title", "originalStatus": "open", "status": "TODO", "createdDate": START, **fields}


def pull_request(key=7, **fields):
    return {"id": "pr-7", "displayTitle": "A change", "pullRequestKey": key, "createdDate": START, **fields}


@pytest.fixture
def hook(api):
    return api.post(ALL, {"name": api.name("hook")})


def test_a_webhook_is_made_with_its_key(api):
    name = api.name("hook")
    made = api.post(ALL, {"name": name})
    base = f"/rest/plugins/webhook/connections/{made['id']}/"
    assert made["postIssuesEndpoint"] == base + "issues" and made["closeIssuesEndpoint"] == base + "issue/:issueKey/close"
    assert made["postPipelineDeployTaskEndpoint"] == base + "deployments" and made["postPullRequestsEndpoint"] == base + "pull_requests"
    key = made["apiKey"]
    assert len(key["apiKey"]) == 128 and key["apiKey"].isalnum()
    assert (key["name"], key["type"], key["extra"]) == (f"webhook-{made['id']}", "plugin:webhook", f"connectionId:{made['id']}")
    assert key["allowedPath"] == f"/plugins/webhook/connections/{made['id']}/.*" and key["expiredAt"] is None
    # It is shown once.
    del made["apiKey"]["apiKey"]
    assert api.get(f"{ALL}/{made['id']}") == made
    assert api.get(f"{ALL}/by-name/{name}") == made
    assert made in api.get(ALL)


def test_webhooks_are_renamed_and_deleted(api, hook):
    path = f"{ALL}/{hook['id']}"
    renamed = api.patch(path, {"name": api.name("renamed")})
    assert set(renamed) == {"id", "name", "createdAt", "updatedAt"}
    again = api.patch(f"{ALL}/by-name/{renamed['name']}", {"NAME": api.name("renamed")})
    assert again["id"] == hook["id"]
    assert api.patch(path, {})["name"] == again["name"]
    api.get(f"{ALL}/by-name/{renamed['name']}", 404)
    other = api.post(ALL, {"name": api.name("hook")})
    api.patch(path, {"name": other["name"]}, 400)
    assert "already exists" in api.post(ALL, {"name": other["name"]}, 400)["message"]
    headers = {"Authorization": "Bearer " + hook["apiKey"]["apiKey"]}
    assert requests.post(f"{api.url}/rest{path}/issues", json=issue(), headers=headers, timeout=30).status_code == 200
    assert api.delete(path)["success"] is True
    assert requests.post(f"{api.url}/rest{path}/issues", json=issue(), headers=headers, timeout=30).status_code == 403
    # Deleting what is gone is no error, by id.
    api.delete(path)
    api.delete(f"{ALL}/by-name/{again['name']}", 404)
    api.delete(f"{ALL}/by-name/{other['name']}")


@pytest.mark.parametrize("path", [f"{ALL}/0", f"{ALL}/x", f"{ALL}/-1", f"{ALL}/99999999999999999999", f"{ALL}/by-name/" + "n" * 101])
def test_a_wrong_id_or_name_is_refused(api, path):
    api.get(path, 400)
    api.patch(path, {"name": "x"}, 400)
    api.delete(path, 400)


def test_an_unknown_webhook_takes_nothing(api):
    for path in (f"{ALL}/9999", f"{ALL}/by-name/none", "/plugins/webhook/9999"):
        for what, body in (("deployments", deployment()), ("issues", issue()), ("pull_requests", pull_request()), ("issue/DLK-1/close", None)):
            api.post(f"{path}/{what}", body, 404)
    api.get(f"{ALL}/9999", 404)
    api.patch(f"{ALL}/9999", {"name": "x"}, 404)


# ---- deployments

def test_a_deployment_becomes_rows_with_defaults(api, hook):
    api.post(f"{ALL}/{hook['id']}/deployments", deployment(10))
    row = api.rows("select * from cicd_deployments where id = 'deploy-10'")[0]
    scope = f"webhook:{hook['id']}"
    assert (row["cicd_scope_id"], row["name"], row["result"], row["status"]) == (scope, "deploy c0ffee to PRODUCTION", "SUCCESS", "DONE")
    assert (row["environment"], row["duration_sec"], row["original_result"], row["original_status"]) == ("PRODUCTION", 123, "SUCCESS", "DONE")
    assert row["created_date"] == row["started_date"] and row["started_date"].startswith("2026-03-01 10:00:00")
    commit = api.rows("select * from cicd_deployment_commits where cicd_deployment_id = 'deploy-10'")[0]
    short = hashlib.md5(b"https://git.example/a").hexdigest()[:16]
    assert commit["id"] == f"{scope}:deploy-10:{short}:c0ffee"
    assert (commit["name"], commit["cicd_scope_id"], commit["repo_url"]) == ("deployment for c0ffee", scope, "https://git.example/a")
    api.post(f"/plugins/webhook/{hook['id']}/deployments", deployment(10))
    assert len(api.rows("select * from cicd_deployments where id = 'deploy-10'")) == 1
    assert commit["duration_sec"] == 123 and commit["created_date"] == row["created_date"]


def test_a_deployment_keeps_what_was_said_and_can_be_sent_again(api, hook):
    path = f"{ALL}/by-name/{hook['name']}/deployments"
    commits = [{"repoUrl": "https://git.example/a", "commitSha": sha, "startedDate": START, "finishedDate": END, "result": "FAILURE",
                "status": "DONE", "refName": "main", "commitMsg": "m", "displayTitle": "t", "repoId": "r", "name": "n",
                "createdDate": "2026-02-01"} for sha in ("a1", "b2")]
    body = deployment(11, deploymentCommits=commits, result="FAILURE", environment="STAGING", originalEnvironment="stage-2",
                      displayTitle="Title", createdDate="2026-03-01 09:00:00")
    api.post(path, body)
    first = api.rows("select * from cicd_deployments where id = 'deploy-11'")
    assert (first[0]["name"], first[0]["result"], first[0]["environment"]) == ("deploy a1,b2 to STAGING", "FAILURE", "STAGING")
    assert (first[0]["original_environment"], first[0]["display_title"]) == ("stage-2", "Title")
    assert first[0]["created_date"].startswith("2026-03-01 09:00:00")
    api.post(path, body)
    assert api.rows("select * from cicd_deployments where id = 'deploy-11'") == first  # nothing new: updated_at too
    body["name"] = "Better"
    api.post(path, body)
    changed = api.rows("select * from cicd_deployments where id = 'deploy-11'")
    assert len(changed) == 1 and changed[0]["name"] == "Better" and changed[0]["created_at"] == first[0]["created_at"]
    assert changed[0]["updated_at"] > first[0]["updated_at"]
    commits = api.rows("select ref_name, created_date from cicd_deployment_commits where cicd_deployment_id = 'deploy-11'")
    assert [commit["ref_name"] for commit in commits] == ["main", "main"] and commits[0]["created_date"].startswith("2026-02-01")


@pytest.mark.parametrize("change, said", [
    ({"id": ""}, "id"), ({"id": None}, "id"), ({"startedDate": None}, "startedDate"), ({"finishedDate": "soon"}, "finishedDate"),
    ({"startedDate": 1772359200}, "startedDate"), ({"environment": "MOON"}, "environment"), ({"deploymentCommits": []}, "empty"),
    ({"deploymentCommits": None}, "deploymentCommits"), ({"deploymentCommits": [5]}, "deploymentCommits[0]"),
    ({"deploymentCommits": [{"repoUrl": "u", "startedDate": START, "finishedDate": END}]}, "deploymentCommits[0].commitSha"),
    ({"id": "d" * 300}, "id"), ({"name": {"a": 1}}, "name"), ({"id": "nul\0"}, "U+0000"),
])
def test_a_wrong_deployment_is_refused_by_the_fields_name(api, hook, change, said):
    before = api.rows("select count(*) as n from cicd_deployments")
    assert said in api.post(f"{ALL}/{hook['id']}/deployments", deployment(12, **change), 400)["message"]
    assert api.rows("select count(*) as n from cicd_deployments") == before


def test_a_project_gets_its_webhook_with_the_first_deployment(api):
    path = "/plugins/webhook/projects/shop/deployments"
    api.post(path, deployment(13), 404)
    control_rows.run(api.tarn, "insert into projects (name) values ('shop')")
    assert "blueprint" in api.post(path, deployment(13), 400)["message"]
    try:
        control_rows.add_blueprint(api.tarn, "shop-Blueprint", "shop")
        api.post(path, deployment(13, id=""), 400)
        api.get(f"{ALL}/by-name/shop_deployments", 404)
        api.post(path, deployment(13))
        made = api.get(f"{ALL}/by-name/shop_deployments")
        assert "apiKey" not in made
        api.post(path, deployment(14))
        assert [hook["name"] for hook in api.get(ALL)].count("shop_deployments") == 1
        rows = api.rows("select cicd_scope_id from cicd_deployments where id in ('deploy-13', 'deploy-14')")
        assert rows == [{"cicd_scope_id": f"webhook:{made['id']}"}] * 2
        api.delete(f"{ALL}/{made['id']}")
    finally:
        control_rows.drop_blueprints(api.tarn)
    api.post(f"/plugins/webhook/projects/{'p' * 101}/deployments", deployment(), 400)


# ---- issues

def test_an_issue_becomes_rows(api, hook):
    body = issue("DLK-2", url="https://x.example/2", type="BUG", storyPoint="2.5", resolutionDate="2026-03-01T11:30:30+0000",
                 parentIssueKey="DLK-1", creatorId="u1", creatorName="N", assigneeId="u2", originalEstimateMinutes="5", component="c")
    api.post(f"{ALL}/{hook['id']}/issues", body)
    board = f"webhook:{hook['id']}"
    row = api.rows(f"select * from issues where id = '{board}:DLK-2'")[0]
    assert (row["parent_issue_id"], row["creator_id"], row["assignee_id"]) == (f"{board}:DLK-1", f"{board}:u1", f"{board}:u2")
    assert (row["story_point"], row["lead_time_minutes"], row["original_estimate_minutes"]) == (2.5, 90, 5)
    assert (row["status"], row["original_status"], row["type"]) == ("TODO", "open", "BUG")
    assert api.rows(f"select issue_id from board_issues where board_id = '{board}'") == [{"issue_id": f"{board}:DLK-2"}]
    assert len(api.rows(f"select id from boards where id = '{board}'")) == 1
    assert api.rows(f"select id from incidents where id = '{board}:DLK-2'") == []


def test_an_incident_is_an_issue_and_an_incident(api, hook):
    base = f"{ALL}/by-name/{hook['name']}"
    api.post(base + "/issues", issue("INC-1", type="INCIDENT", assigneeId="u2", assigneeName="A"))
    name = f"webhook:{hook['id']}:INC-1"
    row = api.rows(f"select * from incidents where id = '{name}'")[0]
    assert (row["incident_key"], row["table"], row["scope_id"], row["status"]) == ("INC-1", "boards", f"webhook:{hook['id']}", "TODO")
    assert api.rows(f"select assignee_name from incident_assignees where incident_id = '{name}'") == [{"assignee_name": "A"}]
    api.post(base + "/issue/INC-1/close")
    for table in ("issues", "incidents"):
        row = api.rows(f"select * from {table} where id = '{name}'")[0]
        assert (row["status"], row["original_status"]) == ("DONE", "")
        assert row["resolution_date"] is not None and row["lead_time_minutes"] > 0


def test_an_issue_is_closed_by_each_path(api, hook):
    for number, base in enumerate((f"{ALL}/{hook['id']}", f"{ALL}/by-name/{hook['name']}", f"/plugins/webhook/{hook['id']}")):
        api.post(f"{base}/issues", issue(f"A/{number}", resolutionDate=END, leadTimeMinutes=77))
        api.post(f"{base}/issue/A%2F{number}/close")
        row = api.rows(f"select status, lead_time_minutes as lead, resolution_date as at from issues where id = 'webhook:{hook['id']}:A/{number}'")[0]
        assert (row["status"], row["lead"]) == ("DONE", 77) and row["at"].startswith("2026-03-01 10:02:03.5")
        api.post(f"{base}/issue/none/close", status=404)


@pytest.mark.parametrize("change, said", [
    ({"issueKey": ""}, "issueKey"), ({"title": None}, "title"), ({"status": "OPEN"}, "status"), ({"originalStatus": ""}, "originalStatus"),
    ({"createdDate": None}, "createdDate"), ({"storyPoint": "many"}, "storyPoint"), ({"leadTimeMinutes": -5}, "leadTimeMinutes"),
    ({"leadTimeMinutes": 1.5}, "leadTimeMinutes"), ({"issueKey": "k" * 300}, "issueKey"), ({"title": []}, "title"),
    ({"url": "u" * 300}, "url"), ({"assigneeId": "a" * 250}, "assigneeId"),
])
def test_a_wrong_issue_is_refused_by_the_fields_name(api, hook, change, said):
    assert said in api.post(f"{ALL}/{hook['id']}/issues", issue("DLK-9", **change), 400)["message"]
    assert api.rows(f"select id from issues where id like 'webhook:{hook['id']}:%'") == []


# ---- pull requests

def test_a_pull_request_becomes_a_row(api, hook):
    body = pull_request(status="MERGED", baseRepoId="ignored", additions="100", isDraft="true", mergedDate=END, headRef="h")
    for base in (f"{ALL}/{hook['id']}", f"{ALL}/by-name/{hook['name']}", f"/plugins/webhook/{hook['id']}"):
        api.post(base + "/pull_requests", body)
    rows = api.rows(f"select * from pull_requests where base_repo_id = 'webhook:{hook['id']}'")
    assert len(rows) == 1
    row = rows[0]
    assert (row["id"], row["title"], row["status"]) == (f"webhook:{hook['id']}:7", "A change", "MERGED")
    assert (row["additions"], row["is_draft"], row["head_ref"], row["closed_date"]) == (100, True, "h", None)


@pytest.mark.parametrize("change, said", [
    ({"id": ""}, "id"), ({"displayTitle": ""}, "displayTitle"), ({"pullRequestKey": 0}, "pullRequestKey"), ({"pullRequestKey": "x"}, "pullRequestKey"),
    ({"createdDate": None}, "createdDate"), ({"status": "DONE"}, "status"), ({"isDraft": "perhaps"}, "isDraft"), ({"mergeCommitSha": "a" * 41}, "mergeCommitSha"),
])
def test_a_wrong_pull_request_is_refused_by_the_fields_name(api, hook, change, said):
    assert said in api.post(f"{ALL}/{hook['id']}/pull_requests", pull_request(**change), 400)["message"]


# ---- by key

def test_a_webhooks_key_opens_its_own_paths_only(api, hook):
    other = api.post(ALL, {"name": api.name("hook")})
    headers = {"Authorization": "Bearer " + hook["apiKey"]["apiKey"]}
    mine = f"{ALL}/{hook['id']}"
    for prefix in ("/rest", "/api/rest"):
        api.post(f"{prefix}{mine}/issues", issue("K-1"), headers=headers)
    for path in (f"{ALL}/{other['id']}/issues", f"/plugins/webhook/{hook['id']}/issues", f"{ALL}/by-name/{hook['name']}/issues",
                 f"/store/x{mine.replace('/', '%2F')}%2Fa", f"/plugins/github/connections/1/proxy/rest{mine}/x"):
        method = "PUT" if path.startswith("/store") else "GET" if "proxy" in path else "POST"
        api.call(method, "/rest" + path, issue() if method != "GET" else None, 403, headers=headers)
    assert api.get("/store/x" + mine.replace("/", "%2F") + "%2Fa") is None
