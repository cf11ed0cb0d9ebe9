"""Checks that the fake Jenkins keeps its promises."""

import pytest
import requests

import jenkins
import jenkins_tree

AUTH = (jenkins.USER, jenkins.DEFAULT_TOKEN)


@pytest.fixture
def server():
    with jenkins.start(seed=7, builds=7) as running:
        yield running


def get(server, path, tree=None, auth=AUTH):
    return requests.get(f"{server.url}/{path}", params={"tree": tree} if tree else None, auth=auth, timeout=10)


def test_a_tree_chooses_fields_and_ranges(server):
    found = get(server, "job/team/job/apps/api/json", "jobs[name,lastBuild[number]]{1,3}").json()
    assert found == {"_class": "com.cloudbees.hudson.plugins.folder.Folder", "jobs": [
        {"_class": "org.jenkinsci.plugins.workflow.job.WorkflowJob", "name": "app 0000",
         "lastBuild": {"_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun", "number": 7}},
        {"_class": "hudson.model.FreeStyleProject", "name": "app 0001", "lastBuild": {"_class": "hudson.model.FreeStyleBuild", "number": 7}}]}
    numbers = [build["number"] for build in get(server, "job/nightly/api/json", "allBuilds[number]{2,4}").json()["allBuilds"]]
    assert numbers == [5, 4]
    assert get(server, "job/nightly/api/json", "allBuilds[number]{7,9}").json()["allBuilds"] == []


def test_a_bad_tree_is_refused():
    for text in ("jobs[", "jobs]", "jobs{1}", "jobs[name]]", "", "a b"):
        with pytest.raises(jenkins_tree.Malformed):
            jenkins_tree.parse(text)


def test_names_are_encoded_in_paths(server):
    main = get(server, "job/team/job/site/job/feature%252Fmenu/api/json", "fullName,url").json()
    assert main["fullName"] == "team/site/feature%2Fmenu" and main["url"].endswith("/job/site/job/feature%252Fmenu/")
    assert get(server, "view/all/job/team/job/apps/job/app%200000/api/json", "name").json()["name"] == "app 0000"
    assert get(server, "job/team/job/gone/api/json").status_code == 404


def test_only_pipeline_builds_have_stages(server):
    stages = get(server, "job/team/job/apps/job/app%200000/1/wfapi/describe").json()["stages"]
    assert stages and set(stages[0]) >= {"id", "name", "status", "startTimeMillis", "durationMillis"}
    assert get(server, "job/nightly/1/wfapi/describe").status_code == 404


def test_credentials_are_needed(server):
    assert get(server, "api/json", auth=("ci", "wrong")).status_code == 401
    assert get(server, "api/json", auth=None).headers["content-type"].startswith("text/html")


def test_changes_happen(server):
    number = server.control("POST", "change", {"op": "build", "job": "nightly", "result": None})["numbers"][0]
    build = lambda: get(server, f"job/nightly/{number}/api/json", "building,result").json()  # noqa: E731
    assert build()["building"] and build()["result"] is None
    server.control("POST", "change", {"op": "finish", "job": "nightly", "number": number})
    assert build() == {"_class": "hudson.model.FreeStyleBuild", "building": False, "result": "SUCCESS"}
    server.control("POST", "change", {"op": "delete_job", "job": "nightly"})
    assert get(server, "job/nightly/api/json").status_code == 404
    with pytest.raises(ValueError):
        server.control("POST", "change", {"op": "build", "job": "nightly"})
