"""CSV files in and out, and columns of a user's own, over HTTP."""

import csv
import io

import pytest

from api_fixtures import api  # noqa: F401

ON_SERVERS = True


def upload(api, method, path, text, status=200, **form):
    return api.call(method, path, status=status, files={"file": ("x.csv", text.encode())}, data=form).json()


def put(api, name, text, status=200):
    return upload(api, "PUT", f"/plugins/org/{name}", text, status)


def download(api, name, query=""):
    answer = api.call("GET", f"/plugins/org/{name}{query}", status=200)
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


# ---- people, teams, projects


def test_teams_and_users_go_in_and_come_out(api):
    put(api, "teams.csv", "Id,Name,Alias,ParentId,SortingIndex\n1,Payments,PAY,3,0\n2,Search,,3,\n3,Shop,SHOP,,2\n")
    put(api, "users.csv", 'Id,Name,Email,TeamIds\n7,"Ada, the first",ada@example.com,1;2\n8,Bo,bo@example.com,\n')
    assert download(api, "teams.csv")[0] == {"Id": "1", "Name": "Payments", "Alias": "PAY", "ParentId": "3", "SortingIndex": "0"}
    assert download(api, "users.csv") == [
        {"Id": "7", "Name": "Ada, the first", "Email": "ada@example.com", "TeamIds": "1;2"},
        {"Id": "8", "Name": "Bo", "Email": "bo@example.com", "TeamIds": ""}]
    # What is not in the next file is gone, and what comes out goes in again.
    text = api.call("GET", "/plugins/org/users.csv", status=200).text
    put(api, "users.csv", "Id,Name,Email,TeamIds\n7,Ada,ada@example.com,3\n")
    assert [(row["Id"], row["TeamIds"]) for row in download(api, "users.csv")] == [("7", "3")]
    assert api.rows("select team_id, user_id from team_users") == [{"team_id": "3", "user_id": "7"}]
    put(api, "users.csv", text)
    assert api.call("GET", "/plugins/org/users.csv", status=200).text == text


def test_accounts_are_given_to_users(api):
    api.post("/push/accounts", [{"id": "a1", "user_name": "ada", "created_date": "2025-01-02T03:04:05Z"}, {"id": "a2"}], 200)
    put(api, "user_account_mapping.csv", "Id,Email,UserId\na1,,7\na2,,\n")
    rows = {row["Id"]: (row["UserName"], row["CreatedDate"], row["UserId"]) for row in download(api, "user_account_mapping.csv")}
    assert rows["a1"] == ("ada", "2025-01-02", "7")
    assert rows["a2"][2] == ""


def test_project_mapping_adds_to_what_is_there(api):
    put(api, "project_mapping.csv", "ProjectName,Table,RowId\nshop,repos,r1\n")
    put(api, "project_mapping.csv", "ProjectName,Table,RowId\nshop,boards,b1\n")
    assert [(row["Table"], row["RowId"]) for row in download(api, "project_mapping.csv") if row["ProjectName"] == "shop"] == [
        ("boards", "b1"), ("repos", "r1")]


def test_examples_can_be_imported(api):
    for name in ("teams.csv", "users.csv", "project_mapping.csv"):
        sample = api.call("GET", f"/plugins/org/{name}?fake_data=true", status=200).text
        assert len(sample.splitlines()) > 2
        put(api, name, sample)


BAD = [
    ("teams.csv", "Id,Nane\n1,x\n", "line 1", "unknown column 'Nane'"),
    ("teams.csv", "Name\nx\n", "line 1", "'Id' is missing"),
    ("teams.csv", "Id,Id\n1,2\n", "line 1", "twice"),
    ("teams.csv", "", "line 1", "empty"),
    ("teams.csv", "Id,Name\n1,a\n2\n", "line 3", "fewer fields"),
    ("teams.csv", "Id,Name\n1,a\n2,b,c\n", "line 3", "more fields"),
    ("teams.csv", "Id,Name\n1,a\n2,\"b\n", "line 3", "not closed"),
    ("teams.csv", "Id,Name\n1,\"a\nb\"\n,c\n", "line 4", "must be filled"),
    ("teams.csv", "Id,ParentId\n0,1\n1,2\n2,3\n3,1\n4,4\n", "line 3, line 4, line 5, line 6", "above itself"),
    ("teams.csv", "Id,Name\n1,a\n2,b\n1,c\n", "line 4", "twice"),
]


@pytest.mark.parametrize("name, text, line, message", BAD)
def test_a_wrong_file_changes_nothing(api, name, text, line, message):
    put(api, name, "Id,Name\nkept,before\n")
    refused = put(api, name, text, 400)
    assert line in refused["message"] and message in refused["message"]
    assert [row["Id"] for row in download(api, name)] == ["kept"]


def test_a_form_without_a_file_is_refused(api):
    assert "file" in api.call("PUT", "/plugins/org/teams.csv", {"a": 1}, 400).json()["message"]
    assert "file" in api.call("POST", "/plugins/customize/csvfiles/sprints.csv", status=400, files={"other": ("x", b"y")}).json()["message"]
    api.call("PUT", "/plugins/org/nothing.csv", status=404, files={"file": ("x", b"y")})
    api.call("GET", "/plugins/org/nothing.csv", status=404)
    api.call("GET", "/plugins/org/teams.csv?fake_data=perhaps", status=400)
    api.call("POST", "/plugins/customize/csvfiles/nothing.csv", status=404, files={"file": ("x", b"y")})


# ---- columns of a user's own, and CSV files of issues


def test_columns_are_added_filled_and_taken_away(api):
    base = "/plugins/customize/issues/fields"
    for column, kind in (("x_points", "bigint"), ("x_when", "timestamp"), ("x_note", "varchar(255)")):
        made = api.call("POST", base, {"columnName": column, "displayName": column, "dataType": kind}, 200).json()
        assert made["isCustomizedField"] and made["columnName"] == column
    shown = {field["columnName"]: field for field in api.call("GET", base, status=200).json()}
    assert shown["x_points"]["dataType"] == "bigint" and shown["id"]["dataType"] == "varchar(255)"
    assert not shown["id"]["isCustomizedField"]
    upload(api, "POST", "/plugins/customize/csvfiles/issues.csv",
           "id,title,creator_name,labels,x_points,x_when,x_note\n"
           "csv:1,first,ann,\"a, b,a\",3,2025-01-02T01:00:00+01:00,NULL\ncsv:2,second,,,,,note\n", boardId="b1", boardName="Board")
    assert api.rows("select id, creator_id, x_points, x_when, x_note from issues where id like 'csv:%' order by id") == [
        {"id": "csv:1", "creator_id": "csv:CsvAccount:0:ann", "x_points": 3, "x_when": "2025-01-02 00:00:00", "x_note": None},
        {"id": "csv:2", "creator_id": None, "x_points": None, "x_when": None, "x_note": "note"}]
    assert api.rows("select issue_id, label_name from issue_labels where issue_id like 'csv:%' order by 2") == [
        {"issue_id": "csv:1", "label_name": "a"}, {"issue_id": "csv:1", "label_name": "b"}]
    assert api.rows("select name, type from boards where id = 'b1'") == [{"name": "Board", "type": "csv"}]
    api.call("DELETE", base + "/x_note", status=200)
    assert "x_note" not in {field["columnName"] for field in api.call("GET", base, status=200).json()}


def test_wrong_rows_are_told_by_line_and_nothing_is_imported(api):
    path = "/plugins/customize/csvfiles/issues.csv"
    before = api.rows("select count(*) as n from issues")
    text = "id,created_date,story_point,status\ni1,2025-01-01,1,x\ni2,yesterday,1,x\ni3,2025-01-01,many," + "y" * 101 + "\ni4,2025-01-01,two,x\n"
    message = upload(api, "POST", path, text, 400, boardId="b2", boardName="B")["message"]
    assert "line 3, created_date" in message and "line 4, story_point" in message and "line 5, story_point" in message
    assert "line 2" not in message
    assert upload(api, "POST", path, "id\ni1\n", 400, boardName="B")["message"].startswith("boardId")
    assert api.rows("select count(*) as n from issues") == before
    assert api.rows("select count(*) as n from boards where id = 'b2'") == [{"n": 0}]


def test_wrong_columns_are_refused(api):
    base = "/plugins/customize/issues/fields"
    good = {"columnName": "x_once", "displayName": "x", "dataType": "text"}
    api.call("POST", base, good, 200)
    for change in ({}, {"columnName": "X_ONCE"}, {"columnName": "points"}, {"columnName": "x_; drop"}, {"dataType": "json", "columnName": "x_a"},
                   {"displayName": "", "columnName": "x_b"}, {"columnName": "x_" + "n" * 60}):
        api.call("POST", base, good | change, 400)
    for table in ("nothing", "_devlake_api_keys", "_tool_github_issues"):
        api.call("GET", f"/plugins/customize/{table}/fields", status=400)
    api.call("DELETE", base + "/title", status=400)
    api.call("GET", "/plugins/github/issues/fields", status=404)
    api.call("DELETE", base + "/x_never", status=200)


def test_fields_are_filled_from_raw_data(api):
    for column, kind in (("x_level", "varchar(255)"), ("x_size", "bigint")):
        api.call("POST", "/plugins/customize/issues/fields", {"columnName": column, "displayName": column, "dataType": kind}, 200)
    params = '{"ConnectionId":1,"BoardId":8}'
    data = ['{"fields":{"level":"high","size":3,"parts":["a","b"]}}', '{"fields":{"level":null,"size":"big"}}']
    api.post("/push/_raw_jira_api_issues", [{"id": i + 901, "params": params, "data": text} for i, text in enumerate(data)], 200)
    api.post("/push/issues", [{"id": f"raw:{i}", "_raw_data_params": params, "_raw_data_table": "_raw_jira_api_issues", "_raw_data_id": i + 901}
                              for i in range(2)], 200)
    mapping = {"x_level": "fields.level", "x_size": "fields.size", "x_parts": "fields.parts"}
    rule = {"table": "issues", "rawDataTable": "_raw_jira_api_issues", "rawDataParams": '{"ConnectionId":1,%}', "mapping": mapping}

    def run(rules):
        plan = [[{"plugin": "customize", "options": {"transformationRules": rules}}]]
        return api.server.wait(api.server.call("POST", "/pipelines", {"name": "fields", "plan": plan}).json()["id"])

    assert run([rule])["status"] == "TASK_COMPLETED"
    rows = "select id, x_level, x_size, updated_at from issues where id like 'raw:%' order by id"
    first = api.rows(rows)
    assert [(row["x_level"], row["x_size"]) for row in first] == [("high", 3), (None, None)]
    assert api.rows("select field_id, field_value, _raw_data_id as r from issue_custom_array_fields order by 2") == [
        {"field_id": "x_parts", "field_value": "a", "r": 901}, {"field_id": "x_parts", "field_value": "b", "r": 901}]
    assert [row["reason"] for row in api.rows("select reason from _tarn_rejects where raw_id = 902")] == ["x_size: big is no bigint"]
    assert run([rule])["status"] == "TASK_COMPLETED"
    assert api.rows(rows) == first

    for wrong in ({"table": "nothing"}, {"rawDataTable": "issues"}, {"mapping": {"x_level": "@this"}}, {"mapping": {"id": "key"}}):
        failed = run([rule | wrong])
        assert failed["status"] == "TASK_FAILED" and "transformationRules[0]" in failed["message"], failed
