"""What DevLake's own page asks for, and what it found wrong."""

import subprocess

import pytest

from api_fixtures import api  # noqa: F401
from conftest import TOKEN
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
    if config is not None:
        made = api.post(f"{path}/scope-configs", {"name": api.name("config"), "entities": ["CODE"], **config}, 201)
        scope["scopeConfigId"] = made["id"]
    api.put(f"{path}/scopes", {"data": [scope]})
    # Only the repository is of interest: collectors of the connector would read the fake.
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
