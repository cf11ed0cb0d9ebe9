"""What DevLake's own page asks for, and what it found wrong."""

import re
import subprocess
import time

import pytest

import github
import jira
import jira_source
from api_fixtures import api  # noqa: F401
from conftest import ROOT, SIZES
from test_git import ENVIRONMENT, Repo

ALL = "/plugins/github/connections"


# ---- plans with scope configs

@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A bare repository of one commit: 3 lines of code, 2 of text."""
    folder = tmp_path_factory.mktemp("git")
    work = Repo(folder / "work")
    work.write("code.py", "1\n2\n3\n")
    work.write("README.md", "a\nb\n")
    work.commit(b"first")
    path = folder / "remote.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(work.path), str(path)], env=ENVIRONMENT, check=True)
    return path


def additions(api, repo_id):
    return [row["additions"] for row in api.rows(
        f"select additions from commits c join repo_commits r on r.commit_sha = c.sha where r.repo_id = '{repo_id}'")]


@pytest.mark.parametrize("config, endings, counted", [
    (None, None, 5), ({"prSizeExcludedFileExtensions": []}, [], 5), ({"prSizeExcludedFileExtensions": [".md"]}, [".md"], 3), ({}, [], 5)])
def test_a_scope_config_reaches_the_git_task_in_its_types(api, bare, config, endings, counted):
    connection = api.connection()
    path = f"{ALL}/{connection['id']}"
    scope = {"githubId": 4000 + api.made, "fullName": "octo/alpha", "name": "alpha", "cloneUrl": str(bare)}
    api.put(f"{path}/scopes", {"data": [scope]})
    if config is not None:
        made = api.post(f"{path}/scope-configs", {"name": api.name("config"), "entities": ["CODE"], **config}, 201)
        api.patch(f"{path}/scopes/{scope['githubId']}", {"scopeConfigId": made["id"]})
    wanted = [{"pluginName": "github", "connectionId": connection["id"], "scopes": [{"scopeId": str(scope["githubId"])}]}]
    blueprint = api.post("/blueprints", {"name": api.name("git"), "mode": "NORMAL", "enable": True, "isManual": True, "cronConfig": "manual",
                                         "connections": wanted}, 201)
    done = api.server.wait(api.post(f"/blueprints/{blueprint['id']}/trigger", {})["id"])
    assert done["status"] == "TASK_COMPLETED", done["message"]
    (git,) = [task for stage in done["plan"] for task in stage if task["plugin"] == "gitextractor"]
    assert git["options"]["excludeFileExtensions"] == endings
    assert additions(api, git["options"]["repoId"]) == [counted]


def test_a_stored_plan_with_the_list_in_a_text_still_runs(api, bare):
    def run(repo_id, endings):
        task = {"plugin": "gitextractor", "options": {"repoId": repo_id, "url": str(bare), "excludeFileExtensions": endings}}
        return api.server.wait(api.post("/pipelines", {"name": "git", "plan": [[task]]}, 201)["id"])

    for number, (endings, counted) in enumerate([("[]", 5), ('[".MD"]', 3), ("", 5)]):
        assert run(f"text:{number}", endings)["status"] == "TASK_COMPLETED"
        assert additions(api, f"text:{number}") == [counted]
    for endings in (".md", '{".md": 1}', "[1]", "[[" * 200):
        refused = run("text:none", endings)
        assert refused["status"] == "TASK_FAILED" and "excludeFileExtensions" in refused["message"]


# ---- pipelines

def milestones(connection):
    return {"plugin": "github", "subtasks": ["Collect Milestones", "Extract Milestones"],
            "options": {"connectionId": connection["id"], "name": "octo/alpha"}}


def metric(plugin):
    return {"plugin": plugin, "options": {"projectName": "none", **({"prToIssueRegexp": "#\\d+"} if plugin == "linker" else {})}}


def ended(api, plan, **fields):
    return api.server.wait(api.post("/pipelines", {"name": "page", "plan": plan, **fields}, 201)["id"])


def test_subtasks_leave_out_some_metrics(api):
    connection = api.connection()
    api.scope(connection)
    done = ended(api, [[milestones(connection)], [metric("org"), metric("refdiff"), metric("dora"), metric("linker")]])
    assert done["status"] == "TASK_COMPLETED", done["message"]
    found = api.get(f"/pipelines/{done['id']}/subtasks")
    assert ([item["plugin"] for item in found["subtasks"]], found["count"]) == (["github", "linker"], 2)
    assert (found["completionRate"], found["status"]) == (1, "TASK_COMPLETED")
    # One of them that fails does not count, either.
    broken = {"plugin": "dora", "subtasks": ["no such"], "options": {}}
    done = ended(api, [[milestones(connection), broken]])
    assert done["status"] == "TASK_FAILED"
    found = api.get(f"/pipelines/{done['id']}/subtasks")
    assert (found["count"], found["status"]) == (1, "TASK_COMPLETED")
    only = ended(api, [[metric("org")]])
    assert api.get(f"/pipelines/{only['id']}/subtasks") == {"subtasks": None, "completionRate": 1, "status": "", "count": 0}


def records(api, pipeline):
    (item,) = api.get(f"/pipelines/{pipeline['id']}/subtasks")["subtasks"]
    return {detail["name"]: detail["finishedRecords"] for detail in item["subtaskDetails"]}


def raw_count(api, connection, *tables):
    return sum(api.rows(f"select count(*) as n from {table} where params like '%\"ConnectionId\":{connection['id']},%'")[0]["n"] for table in tables)


def test_each_subtask_counts_its_own_records(api):
    connection = api.connection()
    api.scope(connection)
    plan = [[{"plugin": "github", "options": {"connectionId": connection["id"], "name": "octo/alpha"}}]]
    # The lists are read side by side: this one ends when others have told theirs.
    api.fake.control("POST", "faults", {"match": "/milestones", "kind": "delay", "ms": 1500, "times": 1})
    try:
        first = ended(api, plan)
    finally:
        api.fake.control("DELETE", "faults")
    assert first["status"] == "TASK_COMPLETED", first["message"]
    found = records(api, first)
    want = {"Collect Milestones": ["milestones"], "Collect Issues": ["issues"], "Collect Pull Requests": ["pull_requests"],
            "Collect Comments": ["comments"], "Collect Events": ["events"], "Collect PR Review Comments": ["pull_request_review_comments"],
            "Collect Deployments": ["deployments", "deployment_statuses"], "Collect Releases": ["releases"]}
    tables = raw_tables()
    assert {name: found[name] for name in want} == {
        name: raw_count(api, connection, *(tables[stream] for stream in streams)) for name, streams in want.items()}
    assert found["Collect Milestones"] == found["Extract Milestones"] == SIZES["milestones"]
    # Nothing is new: models have nothing to do.
    second = ended(api, plan)
    assert second["status"] == "TASK_COMPLETED" and records(api, second)["Extract Milestones"] == 0


def raw_tables():
    with open(ROOT / "connectors" / "github" / "connector.yaml") as file:
        text = file.read()
    streams = text[text.index("\nstreams:"):text.index("\nraw:") if "\nraw:" in text else len(text)]
    return dict(re.findall(r"^  (\w+):\n(?:    .*\n)*?    raw: (\w+)", streams, re.M))


def test_what_never_began_is_not_finished(api):
    connection = api.connection()
    api.scope(connection)
    api.fake.control("POST", "faults", {"match": "/milestones", "kind": "delay", "ms": 15000, "times": 1})
    try:
        # Two tasks of one scope: the second waits for the first.
        plan = [[milestones(connection), milestones(connection)], [milestones(connection)]]
        number = api.post("/pipelines", {"name": "page", "plan": plan}, 201)["id"]
        while not any(task["progressDetail"] for task in api.get(f"/pipelines/{number}/tasks")["tasks"]):
            time.sleep(0.05)
        api.delete(f"/pipelines/{number}")
        done = api.server.wait(number)
    finally:
        api.fake.control("DELETE", "faults")
    assert (done["status"], done["totalTasks"], done["finishedTasks"]) == ("TASK_CANCELLED", 3, 1)
    tasks = api.get(f"/pipelines/{number}/tasks")["tasks"]
    assert {task["status"] for task in tasks} == {"TASK_CANCELLED"}
    assert [task["beganAt"] is None for task in tasks].count(True) == 2


def test_a_plan_names_the_repository_in_full(api):
    connection = api.connection()
    scope = api.scope(connection)
    # The fake has no git repository to read beside.
    bare = {"githubId": scope["githubId"], "name": "alpha", "fullName": "octo/alpha", "cloneUrl": ""}
    api.put(f"{ALL}/{connection['id']}/scopes", {"data": [bare]})
    wanted = [{"pluginName": "github", "connectionId": connection["id"], "scopes": [{"scopeId": str(scope["githubId"])}]}]
    blueprint = api.post("/blueprints", {"name": api.name("plan"), "mode": "NORMAL", "enable": True, "isManual": True, "cronConfig": "manual",
                                         "connections": wanted}, 201)
    done = api.server.wait(api.post(f"/blueprints/{blueprint['id']}/trigger", {})["id"])
    assert done["status"] == "TASK_COMPLETED", done["message"]
    ((task,),) = done["plan"]
    assert task["options"] == {"connectionId": connection["id"], "githubId": scope["githubId"], "name": "octo/alpha", "fullName": "octo/alpha"}
    # The key of the raw rows is what it was.
    assert api.rows(f"select distinct params from _raw_github_api_issues where params like '%:{connection['id']},%'") == [
        {"params": '{"ConnectionId":%d,"Name":"octo/alpha"}' % connection["id"]}]


# ---- the test of a connection

NEEDED = "repo:status, repo_deployment, read:user, read:org"
SCOPES = {"ghp_0123456789everything": "repo, admin:org, user", "ghp_0123456789public": NEEDED, "ghp_0123456789poor": "read:user, public_repo",
          "ghp_0123456789none": "", "ghp_0123456789silent": None, "github_pat_0123456789": None}
EVERYTHING, PUBLIC, POOR, NONE, SILENT, FINE = SCOPES


@pytest.fixture(scope="module")
def several():
    with github.start(**SIZES, tokens=tuple(SCOPES), scopes=SCOPES) as server:
        yield server


def masked(token):
    return token[:2] + "*" * (len(token) - 4) + token[-2:]


@pytest.mark.parametrize("token, success, warning, words", [
    (EVERYTHING, True, False, []), (PUBLIC, True, True, ["right repo", "private"]), (POOR, False, True, ["repo:status, repo_deployment, read:org"]),
    (NONE, False, True, [NEEDED]), (SILENT, True, False, []), (FINE, True, False, [])])
def test_rights_of_classic_tokens(api, several, token, success, warning, words):
    answer = api.post("/plugins/github/test", {"endpoint": several.url, "token": token})
    assert (answer["success"], answer["warning"]) == (success, warning) and answer["login"]
    assert all(word in answer["message"] for word in words) and (answer["message"] == "success") is not bool(words)
    assert token not in str(answer)


def test_wider_rights_hold_narrower_ones(api, several):
    several.app.scopes = {**SCOPES, PUBLIC: "write:org,  user , repo"}
    try:
        answer = api.post("/plugins/github/test", {"endpoint": several.url, "token": PUBLIC})
        assert (answer["success"], answer["warning"], answer["message"]) == (True, False, "success")
    finally:
        several.app.scopes = SCOPES


def test_each_token_of_a_connection_is_tested(api, several):
    tokens = [FINE, "ghp_0123456789unknown", POOR, PUBLIC]
    connection = api.connection(endpoint=several.url, token=",".join(tokens))
    answer = api.post(f"{ALL}/{connection['id']}/test", {})
    assert answer["success"] is False
    found = answer["tokens"]
    assert [item["token"] for item in found] == [masked(token) for token in tokens]
    assert [item["success"] for item in found] == [True, False, False, True]
    assert [item["warning"] for item in found] == [False, False, True, True]
    assert [bool(item["login"]) for item in found] == [True, False, True, True]
    assert "401" in found[1]["message"] and "read:org" in found[2]["message"] and found[0]["message"] == "success"
    assert len(answer["causes"]) == 2 and not [token for token in tokens if token in str(answer)]
    # Each is asked for once, whatever the others say.
    several.control("DELETE", "requests")
    assert api.post(f"{ALL}/{connection['id']}/test", {"token": f"{FINE},{EVERYTHING}"})["success"] is True
    asked = [entry["auth"] for entry in several.control("GET", "requests")["requests"]]
    assert asked == [f"Bearer {FINE}", f"Bearer {EVERYTHING}"]


def test_one_bad_token_of_several_is_no_success(api, several):
    body = {"endpoint": several.url, "token": f"{FINE}, ghp_0123456789unknown ,{EVERYTHING}"}
    message = api.post("/plugins/github/test", body, 400)["message"]
    assert "401" in message and masked("ghp_0123456789unknown") in message and masked(FINE) not in message
    assert api.post("/plugins/github/test", body | {"token": f"{EVERYTHING},{FINE}"})["success"] is True
    assert api.post("/plugins/github/test", body | {"token": f"{EVERYTHING},{POOR}"})["success"] is False


def test_masked_tokens_of_a_list_keep_what_is_stored(api, several):
    connection = api.connection(endpoint=several.url, token=f"{EVERYTHING},{PUBLIC}")
    path = f"{ALL}/{connection['id']}"

    def sent_after(token):
        api.patch(path, {"token": token})
        several.control("DELETE", "requests")
        api.post(path + "/test", {})
        return [entry["auth"].removeprefix("Bearer ") for entry in several.control("GET", "requests")["requests"]]

    # A new one beside the others, another order, one taken out, all as they are.
    assert sent_after(f"{masked(EVERYTHING)},{masked(PUBLIC)},{FINE}") == [EVERYTHING, PUBLIC, FINE]
    assert sent_after(f"{masked(FINE)}, {masked(EVERYTHING)},{masked(PUBLIC)},") == [FINE, EVERYTHING, PUBLIC]
    assert sent_after(f"{masked(FINE)},{masked(PUBLIC)}") == [FINE, PUBLIC]
    assert sent_after(f"{masked(FINE)},{masked(PUBLIC)}") == [FINE, PUBLIC]
    assert sent_after(masked(PUBLIC)) == [PUBLIC]
    # The form's test of a saved connection knows them, too.
    answer = api.post(path + "/test", {"token": f"{FINE},{masked(PUBLIC)}"})
    assert [item["success"] for item in answer["tokens"]] == [True, True]
    # What stands for none is taken as it is.
    assert sent_after("zz****zz,new") == ["zz****zz", "new"]


# ---- apps

@pytest.fixture(scope="module")
def app_key(tmp_path_factory, several):
    """The private key of the fake's app."""
    folder = tmp_path_factory.mktemp("app")
    for arguments in (["genrsa", "-out", "key.pem", "2048"], ["rsa", "-in", "key.pem", "-pubout", "-out", "public.pem"]):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    several.app.github_app.public_key = folder / "public.pem"
    return (folder / "key.pem").read_text()


def test_an_app_tells_its_installations(api, several, app_key):
    body = {"endpoint": several.url, "authMethod": "AppKey", "appId": "4711", "secretKey": app_key, "token": ""}
    answer = api.post("/plugins/github/test", body)
    assert (answer["success"], answer["login"], answer["message"]) == (True, "tarn-reader", "success")
    assert answer["installations"] == [{"id": 5001, "account": {"login": "octo"}}, {"id": 5002, "account": {"login": "umbrella"}}]
    assert api.post("/plugins/github/test", body | {"installationId": 5002})["success"] is True
    assert "404" in api.post("/plugins/github/test", body | {"installationId": 77}, 400)["message"]
    assert "401" in api.post("/plugins/github/test", body | {"appId": "4712"}, 400)["message"]
    assert "private key" in api.post("/plugins/github/test", body | {"secretKey": "no key"}, 400)["message"]
    assert api.post("/plugins/github/test", {"endpoint": several.url, "token": FINE})["installations"] is None


def test_a_saved_app_is_tested_and_reads_as_its_installation(api, several, app_key):
    connection = api.connection(endpoint=several.url, authMethod="AppKey", appId="4711", secretKey=app_key, installationId=5001, token="")
    answer = api.post(f"{ALL}/{connection['id']}/test", {})
    assert (answer["success"], answer["login"], len(answer["tokens"]), len(answer["tokens"][0]["installations"])) == (True, "tarn-reader", 1, 2)
    # The masked key of the form stands for the stored one.
    assert api.post(f"{ALL}/{connection['id']}/test", {"secretKey": connection["secretKey"]})["success"] is True
    assert api.scope(connection)["fullName"] == "octo/alpha"
    several.control("DELETE", "requests")
    assert ended(api, [[milestones(connection)]])["status"] == "TASK_COMPLETED"
    asked = several.control("GET", "requests")["requests"]
    assert asked[0]["path"].endswith("/app/installations/5001/access_tokens")
    assert all(entry["auth"].startswith("Bearer ghs_5001_") for entry in asked[1:]) and len(asked) > 1


# ---- the development panel's form

PATTERN = "https://git.example.com/{namespace}/{repo_name}/-/commit/{commit_sha}"
REGEX = r"https://git.example.com/(?P<namespace>\S+)/(?P<repo_name>\S+)/-/commit/(?P<commit_sha>\w{40})"
SHA = "0123456789abcdef" * 2 + "01234567"


def test_an_expression_is_made_of_an_example(api):
    assert api.post("/plugins/jira/generate-regex", {"pattern": f" {PATTERN} "}) == {"regex": REGEX}
    for pattern, word in [("", "{namespace}"), (PATTERN.replace("{repo_name}", "x"), "{repo_name}"), (PATTERN + "(", "expression"),
                          (PATTERN + "{namespace}", "{namespace} once")]:
        assert word in api.post("/plugins/jira/generate-regex", {"pattern": pattern}, 400)["message"]
    api.post("/plugins/github/generate-regex", {"pattern": PATTERN}, 404)


def test_an_expression_is_applied_to_urls(api):
    body = {"regex": REGEX, "urls": [f"https://git.example.com/a/b/{name}/-/commit/{SHA}" for name in ("web", "core")]}
    assert api.post("/plugins/jira/apply-regex", body) == [
        {"namespace": "a/b", "repo_name": name, "commit_sha": SHA} for name in ("web", "core")]
    assert api.post("/plugins/jira/apply-regex", body | {"urls": []}) == []
    assert "does not fit" in api.post("/plugins/jira/apply-regex", body | {"urls": ["https://git.example.com/x"]}, 400)["message"]
    for regex in ("(", r"(?P<namespace>\S+)", REGEX + "(x)?", REGEX.replace("repo_name", "other")):
        assert "regex" in api.post("/plugins/jira/apply-regex", body | {"regex": regex}, 400)["message"]


@pytest.fixture
def panel(api):
    """A Jira and a connection to it."""
    source = jira_source.new_world()
    signed = {"authMethod": "BasicAuth", "username": jira.USER, "password": jira.TOKEN}
    made = api.post("/plugins/jira/connections", {"name": api.name("jira"), "endpoint": source.endpoint, **signed}, 201)
    return source, f"/plugins/jira/connections/{made['id']}"


def test_the_panel_tells_applications_and_the_newest_commits(api, panel):
    source, path = panel
    issues = source.world.issues.values()
    key_of = source.world.key_of
    issue = max(issues, key=lambda issue: len(issue["commits"]))
    key, bare = key_of(issue), key_of(next(issue for issue in issues if not issue["commits"]))
    for _ in range(7 - len(issue["commits"])):
        source.change("add_commit", issue=key)
    assert len(issue["commits"]) >= 7
    assert api.get(f"{path}/application-types?key={key}") == ["GitLab"]
    assert api.get(f"{path}/application-types?key={bare}") == []
    newest = sorted(issue["commits"], key=lambda commit: commit["moment"], reverse=True)
    found = api.get(f"{path}/dev-panel-commits?key={key}&applicationType=GitLab")
    assert len(found) == 5 and set(found) <= {f"https://git.example.com/{commit['repo']}/-/commit/{commit['sha']}" for commit in newest}
    times = {f"https://git.example.com/{commit['repo']}/-/commit/{commit['sha']}": commit["moment"] for commit in newest}
    assert [times[url] for url in found] == [commit["moment"] for commit in newest[:5]]
    assert api.get(f"{path}/dev-panel-commits?key={bare}&applicationType=GitLab") == []


def test_what_the_panel_cannot_tell(api, panel):
    source, path = panel
    assert "key" in api.get(f"{path}/application-types", 400)["message"]
    assert "applicationType" in api.get(f"{path}/dev-panel-commits?key=ALPHA-1", 400)["message"]
    assert "404" in api.get(f"{path}/application-types?key=NONE-1", 400)["message"]
    # A key never leads to another path.
    source.requests()
    for key in ("..", ".", "%2E%2E"):
        api.get(f"{path}/application-types?key={key}", 400)
    assert source.requests() == {}
    api.get(f"{path}/application-types?key=..%2F..%2Fserverinfo%3F", 400)
    api.get(f"{path}/no-such-list", 404)
    api.get("/plugins/jira/connections/9999/application-types?key=A-1", 404)
    api.get("/plugins/github/connections/1/application-types?key=A-1", 404)
    source.fault({"match": "/issue/", "kind": "status", "status": 500, "body": "{}", "times": -1})
    try:
        assert "500" in api.get(f"{path}/application-types?key=ALPHA-1", 503)["message"]
    finally:
        source.heal()
