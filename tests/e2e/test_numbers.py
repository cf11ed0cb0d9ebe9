"""The numbers of projects: the golden data set's, by hand, and the way from a number to its rows and their payload."""

import csv
import json

import pytest

import github
from conftest import ROOT, SIZES, Served, Tarn
from test_metric_runs import push, rows_of, run

GOLDEN = ROOT / "tests" / "golden" / "dora"


@pytest.fixture(scope="module")
def measured(program, tmp_path_factory):
    """A home with the golden world, all projects measured, behind a server."""
    tarn = Tarn(program, tmp_path_factory.mktemp("numbers") / "home")
    server = Served(tarn)
    try:
        for path in sorted((GOLDEN / "input").glob("*.csv")):
            push(server, path.stem, rows_of(path))
        run(server)
        server.tarn = tarn
        yield server
    finally:
        server.stop()


def expected_numbers():
    with open(GOLDEN / "expected" / "numbers.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("start, end", sorted({(row["from"], row["to"]) for row in expected_numbers()}))
def test_numbers_and_levels_are_those_worked_out_by_hand(measured, start, end):
    wanted = [row for row in expected_numbers() if (row["from"], row["to"]) == (start, end)]
    for project in sorted({row["project"] for row in wanted}):
        answer = measured.call("GET", f"/tarn/projects/{project}/metrics?from={start}&to={end}").json()
        got = {one["metric"]: one for one in answer["numbers"]}
        for row in (row for row in wanted if row["project"] == project):
            one = got[row["metric"]]
            value = "" if one["value"] is None else format(one["value"], "g")
            assert (value, one["levels"].get("2021") or "", one["levels"].get("2023") or "") == (
                row["value"], row["level_2021"], row["level_2023"]), (row, one)


def test_a_number_is_opened_to_its_rows(measured):
    done = measured.tarn.run("explain", "change_failure_rate", "--project", "alpha", "--from", "2025-01-01", "--to", "2025-01-31", "--format", "json")
    assert done.returncode == 0, done.stderr
    explained = json.loads(done.stdout)
    assert {row["id"]: row["value"] for row in explained["rows"]} == {"p1": 0, "p3": 1, "p5": 0, "p6": 1, "p7": 0, "p8": 1}
    assert next(row for row in explained["rows"] if row["id"] == "p3")["incidents"] == "i2 i3"
    assert explained["row_count"] == 6 and explained["more"] == {"deployments": 6, "failed": 3}
    assert "incident" in explained["definition"] and explained["version"] == 1

    shown = measured.tarn.run("explain", "change_failure_rate", "--project", "alpha", "--from", "2025-01-01", "--to", "2025-01-31", "--limit", "2")
    assert "Change failure rate of alpha: 50 %, low (2023), low (2021)" in shown.stdout
    assert "6 rows behind it, the latest 2 here" in shown.stdout and "p8" in shown.stdout and "p1 " not in shown.stdout


def test_no_data_is_not_zero(measured):
    shown = measured.tarn.run("explain", "deployment_frequency", "--project", "gamma", "--to", "2025-01-31")
    assert "Deployment frequency of gamma: no data\n" in shown.stdout
    # Deployed once, but not within the range: that is a zero.
    shown = measured.tarn.run("explain", "deployment_frequency", "--project", "alpha", "--from", "2025-03-01", "--to", "2025-03-31")
    assert "0 days a week, low (2023), low (2021)" in shown.stdout


def test_what_is_not_there_is_told(measured):
    for arguments, message in ((("nothing", "--project", "alpha"), "lead_time_for_changes 1"), (("change_failure_rate", "--project", "omega"), "omega"),
                               (("change_failure_rate", "--project", "alpha", "--version", "9"), "change_failure_rate 9"),
                               (("change_failure_rate", "--project", "alpha", "--from", "someday"), "from")):
        done = measured.tarn.run("explain", *arguments)
        assert done.returncode == 1 and message in done.stderr, done.stderr


def test_sync_ends_with_the_numbers_of_its_projects(tarn):
    with github.start(**SIZES) as fake:
        alone = tarn.sync(fake.url)
        assert alone.returncode == 0 and "tarn explain" not in alone.stdout
        done = tarn.sync(fake.url, "--in-project", "shop")
    assert done.returncode == 0, done.stderr
    assert "shop, the last half year" in done.stdout
    for title in ("Deployment frequency", "Lead time for changes", "Change failure rate", "Failed deployment recovery time"):
        assert title in done.stdout
    mapped = tarn.query("select \"table\", row_id from project_mapping where project_name = 'shop' order by 1")
    assert [row["table"] for row in mapped] == ["boards", "cicd_scopes", "repos"]
    # Nobody holds the home now: from the files.
    shown = tarn.run("explain", "unlinked_pull_requests", "--project", "shop", "--from", "2000-01-01", "--format", "json", "--limit", "0")
    explained = json.loads(shown.stdout)
    assert explained["row_count"] == SIZES["pulls"] == len(explained["rows"])
    row = explained["rows"][0]
    payload = tarn.query(f"select data from {row['raw_table']} where id = {row['raw_id']}")
    assert row["title"] in payload[0]["data"]


def test_definitions_are_listed(measured):
    listed = measured.tarn.run("metrics")
    for line in ("deployment_frequency             1", "time_to_restore_service          1"):
        assert line in listed.stdout
    names = {(one["metric"], one["version"]) for one in measured.call("GET", "/tarn/metrics").json()}
    assert ("failed_deployment_recovery_time", 1) in names
