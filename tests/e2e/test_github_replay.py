"""Recorded answers of the real GitHub, collected over HTTP all the way to the tool and domain tables.

The recording and the expected rows are the conformance cases of Apache DevLake (TARN_SHARED, ../shared beside the checkout):
what the cases expect of a raw table must also come out when the same items arrive as answers. Only keys are ever shown.
"""

import csv
import json
import os
import re
from pathlib import Path

import pytest

import github
from conftest import ROOT, Served, Tarn

FOLDER = Path(os.environ.get("TARN_SHARED", ROOT.parent / "shared")) / "conformance" / "github"
REPO = {"githubId": 134018330, "fullName": "panjf2000/ants", "name": "ants", "HTMLUrl": "https://github.com/panjf2000/ants"}
NUMBER = re.compile(r"-?\d+(\.\d+)?")
# The numbers of raw rows follow the recording there and the answers here; times of the scope row are ours.
NOT_COMPARED = {"_raw_data_id", "_raw_data_remark"}
# What a case expects from raw rows alone. Others start from tool rows that were written by hand.
WHOLE = ("_tool_github_issues", "_tool_github_issue_labels", "_tool_github_issue_events", "_tool_github_milestones", "issues",
         "issue_labels", "board_issues", "sprints", "board_sprints", "sprint_issues", "_tool_github_runs", "cicd_pipelines",
         "cicd_pipeline_commits", "_tool_github_issue_comments", "issue_comments")
# Of people only those are asked for who take part. Jobs are left out: the runs that they belong to were not recorded.
OF_PEOPLE = {"_tool_github_accounts": "id", "_tool_github_account_orgs": "account_id"}


def cases():
    return json.loads((FOLDER / "cases.json").read_text())


def expectations():
    """table -> the last expectation of it, with the options it was made with."""
    found = {}
    for case in cases():
        if "BotFiltering" in case["case"]:
            continue
        options, data = {}, {}
        for step in case["steps"]:
            (kind, body), = step.items()
            if kind == "run":
                options, data = body["options"], body.get("data", {})
            if kind == "expect":
                found[body["table"]] = {**body, "options": options, "data": data}
    return found


def config_of(steps):
    """The scope config that all cases together were made with."""
    config = {}
    for expectation in steps.values():
        config |= expectation["options"].get("scopeConfig", {})
    return config


def csv_rows(name):
    csv.field_size_limit(1 << 30)
    with open(FOLDER / name, encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture(scope="module")
def replayed(program, tmp_path_factory):
    if not (FOLDER / "cases.json").exists():
        pytest.skip(f"no recording: {FOLDER} is missing (TARN_SHARED names the folder that holds conformance/)")
    tarn = Tarn(program, tmp_path_factory.mktemp("replay") / "home")
    wanted = expectations()
    config = config_of(wanted)
    compiled = wanted["_tool_github_runs"]["data"]["RegexEnricher"]
    config |= {"deploymentPattern": compiled["DEPLOYMENT"], "productionPattern": compiled["PRODUCTION"]}
    with github.start(replay=str(FOLDER)) as server:
        served = Served(tarn)
        try:
            connection = served.add_connection(server.url)["id"]
            body = {"data": [REPO]}
            answer = served.call("PUT", f"/plugins/github/connections/{connection}/scopes", body)
            assert answer.status_code == 200, answer.text
            options = {"connectionId": connection, "githubId": REPO["githubId"], "name": REPO["fullName"]}
            ended = served.run_pipeline({**options, "scopeConfig": config})
            assert ended["status"] == "TASK_COMPLETED", ended["message"]
            got = tables_of(served, wanted)
        finally:
            served.stop()
        statuses = server.control("GET", "requests?list=0")["statuses"]
    return got, wanted, statuses


def tables_of(served, wanted):
    return {name: served.call("POST", "/api/tarn/query", {"sql": select_of(served, name)}).json() for name in wanted}


def select_of(served, name):
    """The table with each value as the text that a snapshot holds."""
    sql = f"select column_name, data_type from information_schema.columns where table_name = '{name}'"
    columns = []
    for column, kind in served.call("POST", "/api/tarn/query", {"sql": sql}).json()["rows"]:
        text = f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%g+00:00')" if kind.startswith("TIMESTAMP") else \
            f"cast(cast({column} as integer) as varchar)" if kind == "BOOLEAN" else f"cast({column} as varchar)"
        columns.append(f'coalesce({text}, \'\') as "{column}"')
    return f"select {', '.join(columns)} from {name}"


def rows_of(replayed, name):
    """Our rows and the reference's, by key."""
    got, wanted, _ = replayed
    names = [column["name"] for column in got[name]["columns"]]
    mine = [dict(zip(names, row)) for row in got[name]["rows"]]
    return tuple({tuple(row[column] for column in wanted[name]["pk"]): row for row in rows}
                 for rows in (mine, csv_rows(wanted[name]["csv"])))


def unlike(replayed, name, mine, want):
    """The keys that are missing, too many or differ, with the names of the columns."""
    expectation = replayed[1][name]
    texts = set(expectation.get("json", []))
    found = [f"missing {key}" for key in want.keys() - mine.keys()] + [f"too many {key}" for key in mine.keys() - want.keys()]
    for key in want.keys() & mine.keys():
        other = [column for column in expectation["columns"] if column not in NOT_COMPARED
                 and not same(mine[key][column], want[key].get(column, ""), column in texts)]
        if other:
            found.append(f"{key}: {', '.join(other)}")
    return f"{len(found)} rows of {name}:\n" + "\n".join(sorted(found)[:20]) if found else ""


def same(mine, want, is_json):
    if is_json:
        return json.loads(mine or "null") == json.loads(want or "null")
    return mine == want or (NUMBER.fullmatch(mine) and NUMBER.fullmatch(want) and float(mine) == float(want))


def test_the_recording_is_answered_in_full(replayed):
    _, _, statuses = replayed
    assert set(statuses) <= {"200", "304", "404"}, statuses


@pytest.mark.parametrize("name", WHOLE)
def test_rows_are_those_of_the_reference(replayed, name):
    mine, want = rows_of(replayed, name)
    assert want
    problem = unlike(replayed, name, mine, want)
    assert not problem, problem


@pytest.mark.parametrize("name, column", OF_PEOPLE.items())
def test_people_who_take_part_are_those_of_the_reference(replayed, name, column):
    taking_part, _ = rows_of(replayed, "_tool_github_repo_accounts")
    logins = {row["login"] for row in taking_part.values()}
    _, profiles = rows_of(replayed, "_tool_github_accounts")
    known = {row["id"] for row in profiles.values() if row["login"] in logins}
    assert known
    mine, want = rows_of(replayed, name)
    problem = unlike(replayed, name, mine, {key: row for key, row in want.items() if row[column] in known})
    assert not problem, problem
