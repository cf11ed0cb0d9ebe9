"""A Jenkins, or what stands before it, that limits, fails, breaks off, shows a page in place of an answer or has lost something."""

import pytest

from conftest import ROOT
from jenkins_source import (ALL, APP, PLAIN, SITE, assert_as_fresh, assert_rows, comparable, copy_of, fresh_rows, rows_of, settled,  # noqa: F401
                            source, synced)

# One request may meet all faults of a test.
PATIENT = {"API_RETRY": "12"}
# Tables of every home's own rows, which are of no job.
SEEDED = {path.stem for path in (ROOT / "schema" / "seeds").glob("*.sql")}


@pytest.fixture(scope="module")
def undisturbed(program, tmp_path_factory):
    rows = comparable(copy_of(program, tmp_path_factory.mktemp("undisturbed") / "home"))
    return {name: {key: row for key, row in found.items() if SITE in str(key) or name in SEEDED} for name, found in rows.items()}


@pytest.mark.parametrize("rule", [
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}, "after": 5, "times": 4},
    {"kind": "status", "status": 503, "body": "<html>Jenkins is getting ready to work</html>", "headers": {"Retry-After": "1"}, "times": 3},
    {"kind": "status", "status": 500, "p": 0.2, "seed": 1, "times": 6},
    {"kind": "cut", "p": 0.3, "seed": 2, "times": 6},
    {"kind": "drop", "p": 0.3, "seed": 3, "times": 6},
    {"kind": "garbage", "p": 0.2, "seed": 4, "times": 3},
    {"kind": "truncate_json", "p": 0.2, "seed": 5, "times": 3},
    {"kind": "delay", "ms": 400, "p": 0.3, "seed": 6, "times": 6},
], ids=["429", "starting", "500", "cut", "drop", "HTML", "half of the JSON", "delay"])
def test_a_passing_fault_leaves_no_trace(tarn, source, undisturbed, rule):  # noqa: F811
    # Not the scope itself, which is asked for once before.
    source.fault({"match": "tree=(jobs|allBuilds)|wfapi", **rule})
    synced(tarn, source, SITE, env=PATIENT)
    assert source.server.control("GET", "faults")[0]["fired"] == rule["times"]
    assert_rows(tarn, undisturbed)


@pytest.mark.parametrize("status", [404, 410])
def test_stages_that_are_gone_are_no_failure(tarn, source, status):  # noqa: F811
    source.fault({"match": "wfapi", "kind": "status", "status": status, "body": "<html>Not found</html>", "times": -1})
    synced(tarn, source, SITE)
    rows = rows_of(tarn)
    assert not rows["_tool_jenkins_stages"]
    # Builds without stages are tasks.
    assert len(rows["cicd_tasks"]) == len(rows["cicd_pipelines"]) == 20
    source.requests()
    synced(tarn, source, SITE)
    assert source.requests() == {"jobs": 1}, "what is not there is not asked for each time"


@pytest.mark.parametrize("status", [404, 410])
def test_an_unfinished_build_that_is_gone_is_no_failure(settled, source, status):  # noqa: F811
    number = source.change("build", job=PLAIN, result=None)["numbers"][0]
    synced(settled, source, PLAIN)
    source.fault({"match": f"/{number}/api/json", "kind": "status", "status": status, "body": "<html>Not found</html>", "times": -1})
    synced(settled, source, PLAIN)
    assert rows_of(settled)["_tool_jenkins_builds"][1, f"{PLAIN}#{number}"]["building"] is True


def test_a_branch_that_vanishes_meanwhile_is_no_failure(program, tmp_path, tarn, source, undisturbed):  # noqa: F811
    source.fault({"match": "PR-7/api/json", "kind": "status", "status": 404, "body": "<html>Not found</html>", "times": -1})
    synced(tarn, source, SITE)
    assert len(rows_of(tarn)["cicd_pipelines"]) == 15


def refused_run(tarn, source, job, *said):  # noqa: F811
    done = tarn.sync_job(source.server.url, job)
    assert done.returncode == 1, done.stdout
    for text in said:
        assert text in done.stderr
    return done


def test_pages_in_place_of_answers_fail_the_run_and_say_where(tarn, source, undisturbed):  # noqa: F811
    source.fault({"match": "allBuilds", "kind": "garbage", "times": -1})
    refused_run(tarn, source, SITE, "collectApiBuilds", "not the expected JSON", "/api/json")
    source.heal()
    synced(tarn, source, SITE)
    assert_rows(tarn, undisturbed)


@pytest.mark.parametrize("after", [1, 3, 12])
def test_a_token_that_ends_fails_the_run_and_the_next_goes_on(tarn, source, undisturbed, after):  # noqa: F811
    source.fault({"match": "/job/", "kind": "status", "status": 401, "after": after, "times": -1, "body": "<html>Unauthorized</html>"})
    refused_run(tarn, source, SITE, "401", "$TEST_TOKEN")
    source.heal()
    synced(tarn, source, SITE)
    assert_rows(tarn, undisturbed)


def test_a_failed_later_run_loses_no_build(program, tmp_path, settled, source):  # noqa: F811
    for job in (f"{SITE}/main", f"{SITE}/PR-7"):
        source.change("build", job=job, count=2)
    source.fault({"match": "(PR-7/api|main/7/wfapi)", "kind": "status", "status": 500, "times": -1})
    refused_run(settled, source, SITE, "500")
    source.heal()
    synced(settled, source, SITE)
    assert_as_fresh(program, tmp_path, settled, source, *ALL)


def test_a_job_that_is_not_there_is_told(tarn, source):  # noqa: F811
    done = tarn.sync_job(source.server.url, "team/apps/gone")
    assert done.returncode == 1 and "404" in done.stderr and "Check the name" in done.stderr


def test_a_project_that_is_gone_is_told(settled, source):  # noqa: F811
    source.change("delete_job", job=SITE)
    refused_run(settled, source, SITE, "404", "collectApiJobs", "still exists")
    assert len(rows_of(settled)["cicd_pipelines"]) == 20 + 3 * 5
