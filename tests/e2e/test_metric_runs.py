"""Metrics as tasks of a pipeline: the golden data set of DORA is pushed, computed as DevLake's plans do it, and changed."""

import csv
import re

from conftest import ROOT

GOLDEN = ROOT / "tests" / "golden" / "dora"


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [{name: value for name, value in row.items() if value != ""} for row in csv.DictReader(file)]


def typed(row):
    """Times as RFC 3339, numbers as numbers."""
    out = {}
    for name, value in row.items():
        if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value):
            value = value.replace(" ", "T") + "Z"
        elif name in ("duration_sec", "pull_request_key", "lead_time_minutes"):
            value = int(value)
        out[name] = value
    return out


def push(served, table, rows):
    done = served.call("POST", f"/push/{table}", [typed(row) for row in rows])
    assert done.status_code == 200, done.text


def run(served, **options):
    def task(plugin, *subtasks):
        return {"plugin": plugin, "subtasks": list(subtasks), "options": options}
    plan = [[task("dora", "generateDeployments", "generateDeploymentCommits", "enrichPrevSuccessDeploymentCommits",
                  "EnrichTaskEnv")],  # does nothing, as in DevLake, whose stored plans name it
            [task("refdiff", "calculateDeploymentCommitsDiff")],
            [task("dora", "calculateChangeLeadTime", "ConvertIssuesToIncidents", "ConnectIncidentToDeployment")]]
    made = served.call("POST", "/pipelines", {"name": "metrics", "plan": plan}).json()
    pipeline = served.wait(made["id"])
    assert pipeline["status"] == "TASK_COMPLETED", pipeline["message"]


def written(tarn):
    return tarn.query("select id, project_name, pr_cycle_time, updated_at from project_pr_metrics order by 1, 2")


def test_a_project_is_measured_and_only_news_is_written(served, tarn):
    for path in sorted((GOLDEN / "input").glob("*.csv")):
        push(served, path.stem, rows_of(path))
    run(served, projectName="alpha")
    cycles = {row["id"]: int(row["pr_cycle_time"]) for row in rows_of(GOLDEN / "expected" / "project_pr_metrics.csv")
              if row["project_name"] == "alpha"}
    first = written(tarn)
    assert {row["id"]: row["pr_cycle_time"] for row in first} == cycles
    run(served, projectName="alpha")
    assert written(tarn) == first

    run(served, projectName="beta")
    both = written(tarn)
    assert [row for row in both if row["project_name"] == "alpha"] == first
    assert {row["project_name"] for row in both} == {"alpha", "beta"}


def test_wrong_options_are_told(served):
    plan = [[{"plugin": "linker", "subtasks": ["LinkPrToIssue"], "options": {"projectName": "x", "prToIssueRegexp": "(a"}}]]
    made = served.call("POST", "/pipelines", {"name": "metrics", "plan": plan}).json()
    pipeline = served.wait(made["id"])
    assert pipeline["status"] == "TASK_FAILED"
    assert "prToIssueRegexp" in pipeline["message"]


def test_metrics_are_plugins(served):
    plugins = {entry["plugin"]: entry["metric"]["isProjectMetric"] for entry in served.call("GET", "/plugins").json()}
    assert {name: plugins[name] for name in ("dora", "refdiff", "linker", "issue_trace", "org", "github")} == {
        "dora": True, "refdiff": True, "linker": True, "issue_trace": True, "org": False, "github": False}
    assert served.call("GET", "/plugins/dora/connections").status_code == 404
