"""A project from its blueprint to its measures: which scopes it has is noted, its metrics run after what they read."""

import pytest

from api_fixtures import api  # noqa: F401

ON_SERVERS = True

METRICS = [{"pluginName": "dora", "pluginOption": {}, "enable": True},
           {"pluginName": "linker", "pluginOption": {"prToIssueRegexp": "#\\d+", "projectName": "another"}, "enable": True},
           {"pluginName": "issue_trace", "pluginOption": "", "enable": False}]


@pytest.fixture(scope="module")
def project(api):
    connection = api.connection()
    scope = api.scope(connection)
    # The fake has no git repository to read beside.
    api.patch(f"/plugins/github/connections/{connection['id']}/scopes/{scope['githubId']}", {"cloneUrl": ""})
    project = api.post("/projects", {"name": "delivery", "metrics": METRICS}, 201)
    hook = api.post("/plugins/webhook/connections", {"name": "hook"})
    chosen = [{"pluginName": "github", "connectionId": connection["id"], "scopes": [{"scopeId": str(scope["githubId"])}]},
              {"pluginName": "webhook", "connectionId": hook["id"]}]
    blueprint = api.patch(f"/blueprints/{project['blueprint']['id']}", {"connections": chosen})
    return {"connection": connection["id"], "scope": scope["githubId"], "hook": hook["id"], "blueprint": blueprint}


def test_the_plan_has_the_project_around_what_is_collected(project):
    plan = project["blueprint"]["plan"]
    assert [sorted(task["plugin"] for task in stage) for stage in plan] == [
        ["org"], ["github"], ["dora", "linker"], ["refdiff"], ["dora"]]
    github = f"github:GithubRepo:{project['connection']}:{project['scope']}"
    hook = f"webhook:{project['hook']}"
    scopes = {(scope["table"], scope["rowId"]) for scope in plan[0][0]["options"]["projectMappings"][0]["scopes"]}
    assert scopes == {(table, name) for table in ("repos", "boards", "cicd_scopes") for name in (github, hook)}
    options = {task["plugin"]: task["options"] for stage in plan[2:] for task in stage}
    assert options["linker"] == {"projectName": "delivery", "prToIssueRegexp": "#\\d+"}
    assert options["dora"] == options["refdiff"] == {"projectName": "delivery"}


def test_the_scopes_of_a_config_are_those_it_wants(api, project):
    connection, scope = project["connection"], project["scope"]
    config = api.post(f"/plugins/github/connections/{connection}/scope-configs", {"name": "tickets", "entities": ["TICKET"]}, 201)
    path = f"/plugins/github/connections/{connection}/scopes/{scope}"
    api.patch(path, {"scopeConfigId": config["id"]})
    plan = api.patch(f"/blueprints/{project['blueprint']['id']}", {"skipOnFail": False})["plan"]
    assert [entry["table"] for entry in plan[0][0]["options"]["projectMappings"][0]["scopes"] if entry["rowId"].startswith("github")] == ["boards"]
    api.patch(path, {"scopeConfigId": 0})


def test_a_run_fills_the_mapping_and_the_measures(api, project):
    pipeline = api.post(f"/blueprints/{project['blueprint']['id']}/trigger", {})
    ended = api.server.wait(pipeline["id"])
    assert ended["status"] == "TASK_COMPLETED", ended["message"]
    mapped = api.rows("select \"table\", row_id from project_mapping where project_name = 'delivery'")
    assert len(mapped) == 6
    requests_of_project = api.rows(
        "select count(*) as n from pull_requests p join project_mapping m on m.row_id = p.base_repo_id and m.\"table\" = 'repos' "
        "where m.project_name = 'delivery' and p.merged_date is not null")[0]["n"]
    assert requests_of_project > 0
    assert api.rows("select count(*) as n from project_pr_metrics where project_name = 'delivery'")[0]["n"] == requests_of_project


def test_a_metric_that_is_not_there_is_named(api):
    body = {"name": "odd", "metrics": [{"pluginName": "astrology", "enable": True}]}
    assert "astrology" in api.post("/projects", body, 400)["message"]
    api.get("/projects/odd", 404)
    body["metrics"][0]["enable"] = False
    api.post("/projects", body, 201)


def test_a_run_tells_what_it_counted_and_the_next_is_estimated(api, project):
    blueprint = project["blueprint"]["id"]
    (pipeline,) = api.get(f"/blueprints/{blueprint}/pipelines")["pipelines"]
    counted = {task["plugin"]: task for task in api.get(f"/pipelines/{pipeline['id']}/counts")["tasks"]}
    github = counted["github"]
    assert github["problems"] == [] and github["requests"] == sum(stream["requests"] for stream in github["streams"])
    tables = {table["name"]: table["added"] for table in github["tables"]}
    for table in ("_raw_github_api_issues", "issues"):
        assert tables[table] == api.rows(f"select count(*) as n from {table}")[0]["n"]
    estimate = api.get(f"/blueprints/{blueprint}/estimate")
    assert estimate["tasks"] == pipeline["totalTasks"] and estimate["unknownTasks"] == 0
    assert estimate["requests"] == github["requests"] and estimate["seconds"] > 0
    api.get("/pipelines/99/counts", 404)
    api.get("/blueprints/99/estimate", 404)
