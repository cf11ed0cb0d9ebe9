"""Lists of what a connection can see at its source, and requests that are passed on."""

import base64
import json

import pytest
import requests

from api_fixtures import api  # noqa: F401
from conftest import TOKEN


@pytest.fixture(scope="module")
def path(api):
    return f"/plugins/github/connections/{api.connection()['id']}"


def all_children(api, path, **query):
    children, token = [], ""
    while True:
        page = api.get(path + "/remote-scopes", params={**query, **({"pageToken": token} if token else {})})
        children += page["children"]
        token = page["nextPageToken"]
        if not token:
            return children


def at_source(api, path):
    return requests.get(api.fake.url + path, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30).json()


def test_the_root_has_the_account_and_its_organisations(api, path):
    children = all_children(api, path)
    assert {child["type"] for child in children} == {"group"}
    login = at_source(api, "/user")["login"]
    organisations = [org["login"] for org in at_source(api, "/user/orgs?per_page=100")]
    assert [child["id"] for child in children] == [f"users/{login}", *(f"orgs/{name}" for name in organisations)]
    assert all(child["parentId"] is None and child["data"] is None and child["name"] for child in children)


def test_a_group_has_scopes_that_can_be_put(api, path):
    groups = [child["id"] for child in all_children(api, path) if child["id"].startswith("orgs/")]
    scopes = [child for group in groups for child in all_children(api, path, groupId=group)]
    alpha = next(child for child in scopes if child["fullName"] == "octo/alpha")
    assert alpha["type"] == "scope" and alpha["parentId"] == "orgs/octo" and alpha["name"] == "alpha"
    assert alpha["data"]["githubId"] == int(alpha["id"]) and alpha["data"]["fullName"] == "octo/alpha"
    assert "HTMLUrl" in alpha["data"] and "parentId" in alpha["data"]
    api.fake.control("DELETE", "requests")
    put = api.put(path + "/scopes", {"data": [alpha["data"]]})[0]
    assert put["fullName"] == "octo/alpha" and put["HTMLUrl"] == alpha["data"]["HTMLUrl"]


def test_long_lists_go_on_by_token(api, path):
    seen = []
    token = ""
    for _ in range(10):
        page = api.get(path + "/remote-scopes", params={"pageToken": token} if token else {})
        seen += page["children"]
        token = page["nextPageToken"]
        if not token:
            break
    assert seen == all_children(api, path)


@pytest.mark.parametrize("query", [
    {"pageToken": "x"}, {"pageToken": "////"}, {"pageToken": base64.b64encode(b"[]").decode()},
    {"pageToken": base64.b64encode(json.dumps({"level": 99, "at": "{}"}).encode()).decode()},
    {"pageToken": base64.b64encode(json.dumps({"level": -1, "at": "{}"}).encode()).decode()},
    {"groupId": "nonsense"}, {"groupId": "orgs/../user"}, {"groupId": "orgs/missing"}, {"groupId": "orgs/" + "x" * 3000},
])
def test_wrong_tokens_and_groups_are_refused(api, path, query):
    api.get(path + "/remote-scopes", 400, params=query)


def test_a_token_cannot_lead_to_another_host(api, path):
    at = json.dumps({"page": 2, "url": "http://127.0.0.1:9/user/orgs?page=2"})
    token = base64.b64encode(json.dumps({"level": 1, "at": at}).encode()).decode()
    api.fake.control("DELETE", "requests")
    api.get(path + "/remote-scopes", params={"pageToken": token})
    assert api.fake.control("GET", "requests")["total"] > 0


def test_scopes_can_be_searched(api, path):
    found = api.get(path + "/search-remote-scopes?search=alpha")
    assert (found["page"], found["pageSize"]) == (1, 50)
    assert "octo/alpha" in [child["fullName"] for child in found["children"]]
    assert all(child["type"] == "scope" and child["parentId"] is None for child in found["children"])
    assert api.get(path + "/search-remote-scopes?search=no-such-repository")["children"] == []
    beyond = api.get(path + "/search-remote-scopes?search=alpha&page=2&pageSize=20")
    assert beyond == {"children": [], "page": 2, "pageSize": 20}
    for query in ("", "?search=", "?search=%20", "?search=a&page=0", "?search=a&pageSize=0", "?search=a&page=x"):
        api.get(path + "/search-remote-scopes" + query, 400)


def test_a_source_that_refuses_or_is_away(api):
    refused = api.connection(token="wrong")
    base = f"/plugins/github/connections/{refused['id']}"
    assert "credentials" in api.get(base + "/remote-scopes", 400)["message"]
    api.get(base + "/search-remote-scopes?search=a", 400)
    away = api.connection(endpoint="http://127.0.0.1:9/")
    base = f"/plugins/github/connections/{away['id']}"
    assert "127.0.0.1" in api.get(base + "/remote-scopes", 400)["message"]
    api.get(base + "/proxy/rest/user", 400)
    api.get("/plugins/github/connections/9999/remote-scopes", 404)
    api.get("/plugins/github/connections/9999/search-remote-scopes?search=a", 404)
    api.get("/plugins/github/connections/9999/proxy/rest/user", 404)


def test_a_source_that_is_ill_is_told_as_that(api, path):
    api.fake.control("POST", "faults", {"match": "/", "kind": "status", "status": 500, "body": "{}", "times": -1})
    try:
        for rest in ("/remote-scopes", "/search-remote-scopes?search=a", "/proxy/rest/user"):
            assert "500" in api.get(path + rest, 503)["message"]
        api.put(path + "/scopes", {"data": [{"fullName": "octo/alpha2"}]}, 503)
    finally:
        api.fake.control("DELETE", "faults")


def test_requests_are_passed_on_with_the_connections_credentials(api, path):
    answer = api.call("GET", path + "/proxy/rest/repos/octo/alpha/issues?per_page=2&state=all")
    assert answer.status_code == 200
    assert answer.json() == at_source(api, "/repos/octo/alpha/issues?per_page=2&state=all")
    assert "x-ratelimit-limit" in answer.headers and "etag" not in {name.lower() for name in answer.headers}
    assert api.call("GET", path + "/proxy/rest/repos/octo/missing").status_code == 404
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert api.call(method, path + "/proxy/rest/user").status_code == 404


@pytest.mark.parametrize("rest", ["../user", "a/../../user", "http://127.0.0.1:9/", "%2e%2e/user", "a/%2e%2e%2fuser", "https:%2f%2fexample.com", "a%5c..%5cb"])
def test_requests_stay_below_the_endpoint(api, path, rest):
    # Sent as it stands: a client would tidy the path.
    request = requests.Request("GET", api.url).prepare()
    request.url = f"{api.url}{path}/proxy/rest/{rest}"
    api.fake.control("DELETE", "requests")
    with requests.Session() as session:
        assert session.send(request, timeout=30).status_code == 400
    assert api.fake.control("GET", "requests")["total"] == 0


def test_what_is_not_json_is_not_passed_on(api, path):
    api.fake.control("POST", "faults", {"match": "/user", "kind": "status", "status": 200, "body": "<html>", "times": 1})
    try:
        answer = api.call("GET", path + "/proxy/rest/user")
        assert answer.status_code == 502 and "JSON" in answer.json()["message"]
    finally:
        api.fake.control("DELETE", "faults")
