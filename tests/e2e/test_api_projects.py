"""Projects: their own routes, their metrics and the blueprint that each has."""

import pytest

from api_fixtures import api  # noqa: F401

DORA = {"pluginName": "dora", "pluginOption": {"a": 1}, "enable": True}


def add(api, **fields):
    return api.post("/projects", {"name": api.name("project"), **fields}, 201)


def test_a_project_gets_a_blueprint_of_its_own(api):
    made = add(api, description="About", metrics=[DORA])
    assert (made["description"], made["metrics"]) == ("About", [DORA])
    blueprint = made["blueprint"]
    assert (blueprint["name"], blueprint["projectName"]) == (made["name"] + "-Blueprint", made["name"])
    assert (blueprint["mode"], blueprint["enable"], blueprint["isManual"], blueprint["cronConfig"]) == ("NORMAL", True, False, "0 0 * * *")
    assert blueprint["timeAfter"].endswith("T00:00:00.000+00:00") and blueprint["nextRun"].endswith("T00:00:00.000+00:00")
    assert blueprint["connections"] == [] and [stage[0]["plugin"] for stage in blueprint["plan"]] == ["org", "dora", "refdiff", "dora"]
    assert api.get(f"/projects/{made['name']}") == made
    assert api.get(f"/projects/{made['name']}/check") == {"exist": True}
    assert api.get("/projects/none/check") == {"exist": False}


def test_a_blueprint_may_come_with_the_project(api):
    made = add(api, blueprint={"name": "mine", "mode": "NORMAL", "isManual": True, "labels": ["a"]})
    assert made["blueprint"]["projectName"] == made["name"] and made["blueprint"]["labels"] == ["a"]
    before = api.get("/projects")["count"]
    answer = api.post("/projects", {"name": "half", "blueprint": {"name": "x"}}, 400)
    assert "mode" in answer["message"]
    assert api.get("/projects")["count"] == before


@pytest.mark.parametrize("body, said", [
    ({}, "name"), ({"name": ""}, "name"), ({"name": "x" * 101}, "too long"), ({"name": 5}, "name"), ({"name": "p", "metrics": {}}, "metrics"),
    ({"name": "p", "metrics": [{"enable": True}]}, "pluginName"), ({"name": "p", "metrics": [DORA, DORA]}, "twice"),
])
def test_a_wrong_project_is_refused(api, body, said):
    assert said in api.post("/projects", body, 400)["message"]


def test_a_name_stands_for_one_project(api):
    made = add(api)
    assert made["name"] in api.post("/projects", {"name": made["name"]}, 400)["message"]


def test_lists_have_pages_and_a_keyword(api):
    names = [add(api, name=f"Needle%{i}")["name"] for i in range(3)]
    found = api.get("/projects?keyword=needle%25&page=1&pageSize=2")
    assert found["count"] == 3 and [project["name"] for project in found["projects"]] == names[:0:-1]
    assert api.get("/projects?keyword=needle_")["count"] == 0
    api.get("/projects?page=x", 400)


def test_a_rename_takes_everything_along(api):
    made = add(api, description="About", metrics=[DORA])
    api.post("/push/project_mapping", [{"project_name": made["name"], "table": "repos", "row_id": "r"}])
    changed = api.patch(f"/projects/{made['name']}", {"name": "Renamed/one", "metrics": []}, 201)
    assert (changed["name"], changed["description"], changed["metrics"]) == ("Renamed/one", "", [DORA])
    assert changed["blueprint"]["id"] == made["blueprint"]["id"] and changed["blueprint"]["projectName"] == "Renamed/one"
    assert api.get("/projects/Renamed%2Fone") == changed
    assert api.rows("select project_name from project_mapping where row_id = 'r'") == [{"project_name": "Renamed/one"}]
    api.get(f"/projects/{made['name']}", 404)
    other = add(api)
    api.patch(f"/projects/{other['name']}", {"name": "Renamed/one"}, 400)
    assert api.patch("/projects/Renamed%2Fone", {"metrics": [{**DORA, "enable": False}]}, 201)["metrics"][0]["enable"] is False
    api.delete("/projects/Renamed%2Fone")
    assert api.rows("select * from project_mapping where row_id = 'r'") == []
    api.get(f"/blueprints/{made['blueprint']['id']}", 404)
    for method in ("GET", "PATCH", "DELETE"):
        api.call(method, "/projects/Renamed%2Fone", {}, 404)
