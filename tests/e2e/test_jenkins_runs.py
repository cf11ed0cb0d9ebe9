"""Jenkins from end to end: a first run, runs without news, new, unfinished, deleted and recreated builds and jobs."""

import pytest

from conftest import Served, Tarn
from jenkins_source import (ALL, APP, BRANCHES, BUILT, PLAIN, SITE, TOP, assert_as_fresh, assert_rows, comparable, new_world, rows_of, settled,  # noqa: F401
                            source, synced)


@pytest.fixture(scope="module")
def whole(program, tmp_path_factory):
    """All kinds of jobs, read once: only to be looked at."""
    world = new_world(seed=11, builds=9)
    tarn = Tarn(program, tmp_path_factory.mktemp("whole") / "home")
    for job in ALL:
        synced(tarn, world, job)
    return tarn, rows_of(tarn), {job: world.builds(job) for job in BUILT}, {
        (job, build["number"]): world.stages(job, build["number"]) for job in BUILT for build in world.builds(job)
        if build["_class"].endswith("WorkflowRun")}


def build_key(job, build):
    return f"{job}#{build['number']}"


def scope_of(job):
    return SITE if job.startswith(SITE) else job


# ---- the first run

def test_builds_arrive(whole):
    _, rows, told, _ = whole
    builds = {build_key(job, build): (job, build) for job in BUILT for build in told[job]}
    assert {key[1] for key in rows["_tool_jenkins_builds"]} == builds.keys() and len(builds) == 7 * 9
    for name, (job, build) in builds.items():
        row = rows["_tool_jenkins_builds"][1, name]
        causes = [cause for action in build["actions"] for cause in action.get("causes", []) if "upstreamProject" in cause]
        assert {column: row[column] for column in ("job_name", "number", "result", "timestamp", "building", "duration", "class", "triggered_by")} == {
            "job_name": job.split("/")[-1], "number": build["number"], "result": build["result"], "timestamp": build["timestamp"],
            "building": False, "duration": build["duration"], "class": build["_class"].split(".")[-1],
            "triggered_by": f"{causes[-1]['upstreamProject']} #{causes[-1]['upstreamBuild']}" if causes else ""}, name
        pipeline = rows["cicd_pipelines"][f"jenkins:JenkinsBuild:1:{name}",]
        assert (pipeline["name"], pipeline["status"], pipeline["original_result"]) == (name, "DONE", build["result"])
        assert pipeline["result"] == {"SUCCESS": "SUCCESS", "FAILURE": "FAILURE", "ABORTED": "FAILURE"}.get(build["result"], "")
        assert pipeline["cicd_scope_id"] == f"jenkins:JenkinsJob:1:{scope_of(job)}"
        assert pipeline["duration_sec"] == build["duration"] / 1000
    paths = {(key[1].split("#")[0], row["job_path"]) for key, row in rows["_tool_jenkins_builds"].items()}
    assert {(TOP, "view/all/"), (APP, "job/team/job/apps/"), (f"{SITE}/main", "job/team/job/site/job/main/")} <= paths


def test_every_repository_of_a_build_arrives(whole):
    _, rows, told, _ = whole
    wanted, several = {}, 0
    for job in BUILT:
        for build in told[job]:
            data = [action for action in build["actions"] if "lastBuiltRevision" in action]
            several += len(data) > 1
            for action in data:
                # Of two addresses of one commit the last one counts.
                wanted[1, build_key(job, build), action["lastBuiltRevision"]["SHA1"]] = (
                    action["remoteUrls"][-1], action["lastBuiltRevision"]["branch"][0]["name"], build["number"])
    found = {key: (row["repo_url"], row["branch"], row["number"]) for key, row in rows["_tool_jenkins_build_commits"].items()}
    assert found == wanted and several
    urls = {key[1]: row["url"] for key, row in rows["_tool_jenkins_jobs"].items()}
    assert urls[BRANCHES[1]].endswith("/job/team/job/site/job/feature%252Fmenu/")
    assert {key: (row["repo_url"], row["url"]) for key, row in rows["cicd_pipeline_commits"].items()} == {
        (f"jenkins:JenkinsBuild:1:{name}", sha): (address, f"{urls[name.split('#')[0]]}{number}")
        for (_, name, sha), (address, _, number) in wanted.items()}


def test_stages_are_tasks_and_so_are_builds_without_them(whole):
    _, rows, told, stages = whole
    wanted = {}
    for job in BUILT:
        for build in told[job]:
            name = build_key(job, build)
            if not build["_class"].endswith("WorkflowRun"):
                wanted[f"jenkins:JenkinsBuild:1:{name}",] = (scope_of(job), name, "DONE", build["result"])
                continue
            for stage in stages[job, build["number"]]:
                status = "DONE" if stage["status"] == "SUCCESS" else "OTHER"
                wanted[f"jenkins:JenkinsStage:1:{name}:{stage['id']}",] = (stage["name"], name, status, build["result"])
    assert {key: (row["name"], row["pipeline_id"].split(":", 3)[-1], row["status"], row["original_result"])
            for key, row in rows["cicd_tasks"].items()} == wanted
    not_run = [row for row in rows["cicd_tasks"].values() if row["original_status"] == "NOT_EXECUTED"]
    assert not_run and {row["result"] for row in not_run} == {""}
    with_stages = {row["class"]: row["has_stages"] for row in rows["_tool_jenkins_builds"].values()}
    assert with_stages == {"WorkflowRun": True, "FreeStyleBuild": False}


def test_branches_that_were_built_are_jobs(whole):
    tarn, rows, *_ = whole
    assert {key[1] for key in rows["_tool_jenkins_jobs"]} == {*ALL, *BRANCHES}
    assert {key[0].split(":", 3)[-1] for key in rows["cicd_scopes"]} == {*ALL, *BRANCHES}
    assert tarn.query("select * from _tarn_rejects") == []


def test_patterns_of_the_scope_config_make_deployments(tarn, source):  # noqa: F811
    synced(tarn, source, APP)
    assert {row["type"] for row in rows_of(tarn)["cicd_tasks"].values()} == {""}
    served = Served(tarn)
    config = {"deploymentPattern": "deploy", "productionPattern": "prod"}
    ended = served.run_pipeline({"connectionId": 1, "fullName": APP, "scopeConfig": config}, plugin="jenkins")
    served.stop()
    assert ended["status"] == "TASK_COMPLETED", ended
    found = {(row["name"], row["type"], row["environment"]) for row in rows_of(tarn)["cicd_tasks"].values()}
    assert ("deploy to prod", "DEPLOYMENT", "PRODUCTION") in found and ("build", "", "") in found


# ---- later runs

@pytest.mark.parametrize("job", ALL)
def test_a_run_without_news_is_one_request_and_writes_nothing(settled, source, job):  # noqa: F811
    before = rows_of(settled)
    done = synced(settled, source, job)
    assert source.requests() == {"jobs": 1}
    assert rows_of(settled).written_since(before) == {}
    assert done.stdout.startswith("nothing has changed\n")


def test_only_the_job_with_news_is_asked(program, tmp_path, settled, source):  # noqa: F811
    before = rows_of(settled)
    source.change("build", job=f"{SITE}/main", count=2)
    synced(settled, source, SITE)
    assert source.requests() == {"jobs": 1, "builds": 1, "stages": 2}
    written = rows_of(settled).written_since(before)
    assert {key[1] for key in written["_tool_jenkins_builds"]} == {f"{SITE}/main#6", f"{SITE}/main#7"}
    assert {key[0] for key in written["cicd_pipelines"]} == {f"jenkins:JenkinsBuild:1:{SITE}/main#{number}" for number in (6, 7)}
    assert len(written["_raw_jenkins_api_builds"]) == 2
    assert_as_fresh(program, tmp_path, settled, source, *ALL)


def test_unfinished_builds_are_read_again_until_they_end(program, tmp_path, settled, source):  # noqa: F811
    # The same number in two jobs: one has ended when the other has not.
    for job in (f"{SITE}/main", f"{SITE}/PR-7", PLAIN):
        source.change("build", job=job, result=None)
    for job in (SITE, PLAIN):
        synced(settled, source, job)
    pipelines = rows_of(settled)["cicd_pipelines"]
    running = {key[0]: row for key, row in pipelines.items() if row["status"] == "IN_PROGRESS"}
    assert len(running) == 3 and {(row["result"], row["finished_date"]) for row in running.values()} == {("", None)}
    source.requests()
    synced(settled, source, SITE)
    assert source.requests() == {"jobs": 1, "build": 2}, "one request each, and no stages of what has not ended"

    source.change("finish", job=f"{SITE}/main", number=6)
    source.change("build", job=f"{SITE}/main")
    synced(settled, source, SITE)
    assert source.requests() == {"jobs": 1, "builds": 1, "build": 1, "stages": 2}
    source.change("finish", job=f"{SITE}/PR-7", number=6, result="FAILURE")
    source.change("finish", job=PLAIN, number=6)
    for job in (SITE, PLAIN):
        synced(settled, source, job)
    rows = rows_of(settled)
    assert {row["status"] for row in rows["cicd_pipelines"].values()} == {"DONE"}
    assert not any(key[0] == f"jenkins:JenkinsBuild:1:{SITE}/main#6" for key in rows["cicd_tasks"]), "its stages took the place of its task"
    source.requests()
    synced(settled, source, SITE)
    assert source.requests() == {"jobs": 1}
    assert_as_fresh(program, tmp_path, settled, source, *ALL)


def test_an_old_build_that_was_unfinished_is_read_again(program, tmp_path, tarn, source):  # noqa: F811
    number = source.change("build", job=PLAIN, result=None, minutes_ago=9 * 24 * 60)["numbers"][0]
    synced(tarn, source, PLAIN)
    source.change("build", job=PLAIN)
    source.change("finish", job=PLAIN, number=number)
    synced(tarn, source, PLAIN)
    assert_as_fresh(program, tmp_path, tarn, source, PLAIN)


def test_a_new_branch_brings_its_old_builds(program, tmp_path, settled, source):  # noqa: F811
    source.change("add_job", job=f"{SITE}/release", builds=3)
    synced(settled, source, SITE)
    assert source.requests() == {"jobs": 1, "builds": 1, "stages": 3}
    assert_as_fresh(program, tmp_path, settled, source, *ALL)


def test_a_deleted_branch_is_no_job_any_more_and_its_builds_stay(settled, source):  # noqa: F811
    source.change("delete_job", job=f"{SITE}/PR-7")
    synced(settled, source, SITE)
    rows = rows_of(settled)
    assert (1, f"{SITE}/PR-7") not in rows["_tool_jenkins_jobs"]
    assert (f"jenkins:JenkinsJob:1:{SITE}/PR-7",) not in rows["cicd_scopes"]
    assert (f"jenkins:JenkinsBuild:1:{SITE}/PR-7#1",) in rows["cicd_pipelines"]


def test_deleted_builds_stay_until_a_full_run(program, tmp_path, settled, source):  # noqa: F811
    source.change("delete_build", job=APP, number=2)
    synced(settled, source, APP)
    assert (1, f"{APP}#2") in rows_of(settled)["_tool_jenkins_builds"]
    synced(settled, source, APP, "--full")
    rows = rows_of(settled)
    assert (1, f"{APP}#2") not in rows["_tool_jenkins_builds"]
    for table in ("cicd_pipelines", "cicd_pipeline_commits"):
        assert not any(key[0].endswith(f"{APP}#2") for key in rows[table]), table


def test_a_job_made_anew_under_its_name_is_read_again(settled, source):  # noqa: F811
    source.change("recreate_job", job=PLAIN)
    synced(settled, source, PLAIN)
    build = source.builds(PLAIN)[0]
    assert rows_of(settled)["_tool_jenkins_builds"][1, f"{PLAIN}#1"]["timestamp"] == build["timestamp"]


def test_a_branch_that_is_a_scope_itself_has_one_row(settled, source):  # noqa: F811
    branch = f"{SITE}/main"
    for job in (branch, SITE, branch, SITE):
        synced(settled, source, job)
        key = "connection_id, full_name"
        assert settled.query(f"select {key} from _tool_jenkins_jobs group by {key} having count(*) > 1") == []
    assert len(rows_of(settled)["_tool_jenkins_builds"]) == 7 * 5


def test_more_builds_than_a_page_holds(program, tmp_path):
    tarn, many = Tarn(program, tmp_path / "home"), new_world(seed=2, jobs=0, branches=0, builds=250)
    synced(tarn, many, TOP)
    assert many.requests() == {"jobs": 1, "builds": 4}, "the scope itself, and three pages"
    assert len(rows_of(tarn)["cicd_pipelines"]) == 250
    many.change("build", job=TOP)
    synced(tarn, many, TOP)
    # Builds come every ten minutes: the overlap of a day lies behind the first page.
    assert many.requests() == {"jobs": 1, "builds": 2}
    assert_as_fresh(program, tmp_path, tarn, many, TOP)


def test_skipping_the_collectors_asks_nothing(settled, source):  # noqa: F811
    before = rows_of(settled)
    synced(settled, source, SITE, "--skip-collectors")
    assert source.requests() == {}
    assert rows_of(settled).written_since(before) == {}


def test_a_full_run_without_news_leaves_the_rows(settled, source):  # noqa: F811
    want = comparable(settled)
    for job in ALL:
        synced(settled, source, job, "--full")
    assert_rows(settled, want)
