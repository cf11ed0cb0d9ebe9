"""Scopes and scope configs over HTTP."""

import pytest

import control_rows
from api_fixtures import api  # noqa: F401
from conftest import SIZES

ON_SERVERS = True

SCOPE_NAMES = {"HTMLUrl", "_raw_data_id", "_raw_data_params", "_raw_data_remark", "_raw_data_table", "cloneUrl", "connectionId",
               "createdAt", "createdDate", "description", "fullName", "githubId", "language", "name", "ownerId",
               "parentHtmlUrl", "parentId", "updatedAt", "updatedDate"}


def path_of(connection):
    return f"/plugins/github/connections/{connection['id']}"


def whole(number, **fields):
    """A scope that needs nothing from the source."""
    return {"githubId": number, "fullName": f"group/repo-{number}", "name": f"repo-{number}", "HTMLUrl": "https://x.example/",
            "description": "", "ownerId": 1, "language": "Go", "parentId": 0, "parentHtmlUrl": "", "cloneUrl": "",
            "createdDate": None, "updatedDate": None, **fields}


@pytest.fixture
def connection(api):
    return api.connection()


def test_a_scope_has_the_names_that_devlake_gives_its_columns(api, connection):
    scope = api.scope(connection)
    assert set(scope) == SCOPE_NAMES
    assert scope["fullName"] == "octo/alpha" and scope["connectionId"] == connection["id"]
    item = api.get(f"{path_of(connection)}/scopes/{scope['githubId']}")
    assert item == {"scope": scope}
    assert api.get(f"{path_of(connection)}/scopes") == {"count": 1, "scopes": [{"scope": scope}]}


def test_scopes_are_put_by_their_key(api, connection):
    path = path_of(connection) + "/scopes"
    assert api.put(path, {"data": []}) == []
    first = api.put(path, {"data": [whole(1), whole(2)]})
    assert [scope["githubId"] for scope in first] == [1, 2]
    again = api.put(path, {"data": [whole(2, description="new", connectionId=77, createdAt="x")]})[0]
    assert again["description"] == "new" and again["connectionId"] == connection["id"]
    assert again["_raw_data_params"] == f'{{"ConnectionId":{connection["id"]},"Name":"group/repo-2"}}'
    assert api.get(path)["count"] == 2


def test_lists_are_paged_and_searched(api, connection):
    path = path_of(connection) + "/scopes"
    api.put(path, {"data": [whole(number) for number in range(1, 26)] + [whole(99, name="50%_done", fullName="x/50%_done")]})
    page = api.get(path + "?page=2&pageSize=10")
    assert page["count"] == 26 and [item["scope"]["githubId"] for item in page["scopes"]] == list(range(11, 21))
    assert api.get(path + "?page=9&pageSize=10") == {"count": 26, "scopes": []}
    assert api.get(path + "?searchTerm=REPO-1")["count"] == 11
    assert api.get(path + "?searchTerm=group/repo-25")["count"] == 1
    assert api.get(path + "?searchTerm=50%25_")["count"] == 1
    assert api.get(path + "?searchTerm=%25")["count"] == 1
    for query in ("page=0", "pageSize=0", "pageSize=1001", "page=x", "pageSize=-1", "page=99999999999999999999"):
        api.get(f"{path}?{query}", 400)


def test_lists_name_blueprints_where_asked_for(api, connection):
    scope = api.put(path_of(connection) + "/scopes", {"data": [whole(5)]})[0]
    path = path_of(connection) + "/scopes"
    try:
        made = control_rows.add_blueprint(api.tarn, "nightly", "alpha", scopes=[("github", connection["id"], 5)])
        blueprint = api.get(path + "?blueprints=true")["scopes"][0]["blueprints"][0]
        assert (blueprint["id"], blueprint["name"], blueprint["plan"], blueprint["cronConfig"]) == (made, "nightly", None, "0 0 * * *")
        assert api.get(path + "/5?blueprints=true")["blueprints"] == [blueprint]
        assert "blueprints" not in api.get(path)["scopes"][0]
    finally:
        control_rows.drop_blueprints(api.tarn)
    assert api.get(path + "/5?blueprints=true") == {"scope": scope, "blueprints": []}


def test_a_patch_sets_the_scope_config(api, connection):
    path = path_of(connection)
    api.put(path + "/scopes", {"data": [whole(5)]})
    config = api.post(path + "/scope-configs", {"name": api.name("config")}, 201)
    scope = api.patch(path + "/scopes/5", {"scopeConfigId": config["id"]})
    assert scope["scopeConfigId"] == config["id"] and scope["name"] == "repo-5"
    assert api.get(path + "/scopes/5")["scopeConfig"] == config
    assert api.get(path + "/scopes")["scopes"][0]["scopeConfig"] == config
    assert "scopeConfigId" in api.patch(path + "/scopes/5", {"scopeConfigId": 999}, 400)["message"]
    assert "githubId" in api.patch(path + "/scopes/5", {"githubId": 6}, 400)["message"]
    # A scope that is put again keeps its scope config.
    assert api.put(path + "/scopes", {"data": [whole(5)]})[0]["scopeConfigId"] == config["id"]
    assert "scopeConfigId" not in api.patch(path + "/scopes/5", {"scopeConfigId": None})
    api.patch(path + "/scopes/6", {}, 404)


def test_a_scope_is_deleted_with_its_data_but_not_while_it_is_used(api, connection):
    scope = api.scope(connection)
    path = f"{path_of(connection)}/scopes/{scope['githubId']}"
    options = {"connectionId": connection["id"], "githubId": scope["githubId"], "name": "octo/alpha"}
    assert api.server.run_pipeline(options)["status"] == "TASK_COMPLETED"
    params = scope["_raw_data_params"].replace("'", "''")

    def count(table, column="_raw_data_params"):
        return api.rows(f"select count(*) as n from {table} where {column} = '{params}'")[0]["n"]

    assert count("_raw_github_api_issues", "params") > 0 and count("_tool_github_issues") == SIZES["issues"] == count("issues")
    states = api.get(path + "/latest-sync-state")
    assert {"raw_data_table", "raw_data_params", "latest_success_start"} == set(states[0])
    assert "_raw_github_api_issues" in [state["raw_data_table"] for state in states]
    try:
        control_rows.add_blueprint(api.tarn, "uses it", "alpha", scopes=[("github", connection["id"], scope["githubId"])])
        answer = api.delete(path, 409)
        assert answer["data"] == {"blueprints": ["uses it"], "projects": ["alpha"]}
        assert count("issues") == SIZES["issues"]
        assert api.delete(path + "?delete_data_only=true") == scope
    finally:
        control_rows.drop_blueprints(api.tarn)
    for table in ("issues", "_tool_github_issues", "pull_requests", "cicd_pipelines", "board_issues", "repos"):
        assert count(table) == 0, table
    assert count("_raw_github_api_issues", "params") == 0
    assert api.get(path + "/latest-sync-state") == []
    assert api.get(path)["scope"] == scope
    # The next run reads everything again.
    assert api.server.run_pipeline(options)["status"] == "TASK_COMPLETED"
    assert count("issues") == SIZES["issues"]
    assert api.delete(path) == scope
    assert count("issues") == 0
    api.get(path, 404)
    api.get(path + "/latest-sync-state", 404)
    api.delete(path, 404)


def test_data_of_another_scope_stays(api, connection):
    other = api.connection()
    for one in (connection, other):
        scope = api.scope(one)
        api.server.run_pipeline({"connectionId": one["id"], "githubId": scope["githubId"], "name": "octo/alpha"})
    api.delete(f"{path_of(other)}/scopes/{scope['githubId']}")
    mine = f"where id like 'github:GithubIssue:{connection['id']}:%'"
    assert api.rows(f"select count(*) as n from issues {mine}") == [{"n": SIZES["issues"]}]
    accounts = f"select count(*) as n from _tool_github_accounts where connection_id = {connection['id']}"
    assert api.rows(accounts)[0]["n"] > 0


# ---- scope configs

def test_scope_configs_are_made_read_changed_and_deleted(api, connection):
    path = path_of(connection) + "/scope-configs"
    body = {"name": api.name("config"), "entities": ["CODE", "TICKET"], "issueTypeBug": "(bug)", "unknownKey": 1,
            "refdiff": {"tagsLimit": 5}, "prSizeExcludedFileExtensions": [".md"]}
    made = api.post(path, body, 201)
    assert made["connectionId"] == connection["id"] and made["entities"] == ["CODE", "TICKET"]
    assert made["refdiff"] == {"tagsLimit": 5} and made["prSizeExcludedFileExtensions"] == [".md"] and made["prType"] == ""
    second = api.post(path, {"name": api.name("config")}, 201)
    assert second["entities"] is None
    assert api.get(path) == [second, made]
    assert api.get(f"{path}/{made['id']}") == made
    changed = api.patch(f"{path}/{made['id']}", {"issueTypeBug": None, "PRTYPE": "type/(.*)"})
    assert changed["issueTypeBug"] == "" and changed["prType"] == "type/(.*)" and changed["name"] == made["name"]
    assert api.delete(f"{path}/{second['id']}") == second
    for method in ("GET", "PATCH", "DELETE"):
        api.call(method, f"{path}/{second['id']}", {} if method == "PATCH" else None, 404)
    api.get("/plugins/github/connections/9999/scope-configs", 404)
    api.post("/plugins/github/connections/9999/scope-configs", {"name": "x"}, 404)


@pytest.mark.parametrize("body, said", [
    ({}, "name"), ({"name": ""}, "name"), ({"name": 5}, "name"), ({"name": "x" * 256}, "name"),
    ({"name": "a", "entities": "CODE"}, "entities"), ({"name": "a", "entities": ["NONSENSE"]}, "entities"),
    ({"name": "a", "issueTypeBug": "("}, "issueTypeBug"), ({"name": "a", "issueTypeBug": {"a": 1}}, "issueTypeBug"),
    ({"name": "a", "prSizeExcludedFileExtensions": 5}, "prSizeExcludedFileExtensions"),
    ([], "object"), ("text", "object"),
])
def test_a_wrong_scope_config_is_refused_by_the_fields_name(api, connection, body, said):
    path = path_of(connection) + "/scope-configs"
    assert said in api.post(path, body, 400)["message"]
    assert api.get(path) == []


def test_a_scope_config_in_use_stays(api, connection):
    path = path_of(connection)
    config = api.post(path + "/scope-configs", {"name": api.name("config")}, 201)
    assert api.get(f"/plugins/github/scope-config/{config['id']}/projects") == {"projects": None, "count": 0}
    api.put(path + "/scopes", {"data": [whole(8, scopeConfigId=config["id"])]})
    answer = api.delete(f"{path}/scope-configs/{config['id']}", 409)
    assert [scope["githubId"] for scope in answer["data"]] == [8]
    try:
        made = control_rows.add_blueprint(api.tarn, "b", "alpha", scopes=[("github", connection["id"], 8), ("github", connection["id"], 9)])
        assert api.get(f"/plugins/github/scope-config/{config['id']}/projects") == {
            "projects": [{"name": "alpha", "blueprintId": made, "scopes": [{"scopeId": "8", "scopeName": "repo-8"}]}], "count": 1}
    finally:
        control_rows.drop_blueprints(api.tarn)
    api.get("/plugins/github/scope-config/9999/projects", 404)
    api.patch(path + "/scopes/8", {"scopeConfigId": None})
    api.delete(f"{path}/scope-configs/{config['id']}")


def test_a_name_stands_for_one_scope_config(api, connection):
    path = path_of(connection) + "/scope-configs"
    first = api.post(path, {"name": api.name("config")}, 201)
    second = api.post(path, {"name": api.name("config")}, 201)
    assert first["name"] in api.post(path, {"name": first["name"]}, 400)["message"]
    api.patch(f"{path}/{second['id']}", {"name": first["name"]}, 400)
    assert api.patch(f"{path}/{second['id']}", {"name": second["name"]})["name"] == second["name"]


# ---- what does not fit

@pytest.mark.parametrize("body, said", [
    ({}, "data"), ({"data": 5}, "data"), ([], "object"), ({"data": [5]}, "object"),
    ({"data": [whole(1), whole("x")]}, "githubId"), ({"data": [whole(1), whole(2, name="n" * 300)]}, "name"),
    ({"data": [whole(1), whole(2, name={"a": 1})]}, "name"), ({"data": [whole(1), whole(2, scopeConfigId=77)]}, "scopeConfigId"),
    ({"data": [whole(1), whole(2, createdDate="yesterday")]}, "createdDate"),
    ({"data": [whole(1), whole(18446744073709551615)]}, "githubId"),
])
def test_one_wrong_scope_changes_nothing(api, connection, body, said):
    path = path_of(connection) + "/scopes"
    assert said in api.put(path, body, 400)["message"]
    assert api.get(path)["count"] == 0


def test_a_scope_that_the_source_does_not_know(api, connection):
    path = path_of(connection) + "/scopes"
    message = api.put(path, {"data": [{"fullName": "octo/missing"}]}, 400)["message"]
    assert "404" in message and "octo/missing" in message
    api.get(path + "/not-a-number", 404)
    api.get(path + "/1%2F2", 404)
