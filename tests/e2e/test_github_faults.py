"""A source that limits, fails, breaks off, sends nonsense or refuses; a disk that is full."""

import subprocess

import pytest

from conftest import TOKEN, Tarn
from rows import Rows, assert_same
from source import fresh_rows, new_world, read_once, settled, source, synced  # noqa: F401 (fixtures)

# One request may meet all faults of a test.
PATIENT = {"API_RETRY": "12"}
# What an item can be spoiled by and still be known as an item: see test_an_item_without_its_id_is_told.
KINDS = ["object_number", "wrong_list", "bad_time", "text_item", "null_item"]


@pytest.fixture(scope="module")
def undisturbed(program):
    return Rows(Tarn(program, read_once(program))).comparable()


# ---- troubles that pass

@pytest.mark.parametrize("limits", [
    {"secondary_after": 25, "retry_after": 1, "secondary_times": 2},
    {"token": TOKEN, "limit": 5000, "remaining": 30, "reset_in": 3},
    {"token": TOKEN, "limit": 5000, "remaining": 30, "reset_in": 3, "status": 429},
], ids=["secondary", "primary", "primary as 429"])
def test_a_limit_is_waited_for(tarn, source, undisturbed, limits):
    source.server.control("POST", "limits", limits)
    synced(tarn, source, env={"API_RETRY": "0"})
    refused = source.server.control("GET", "requests")["statuses"]
    # A client that minds the remaining requests meets no primary limit at all.
    assert "secondary_after" not in limits or refused["403"] >= 2, refused
    # Those under way may be refused (16 at a time, and as many before the first refusal is read), but nobody keeps on asking.
    assert refused.get("403", 0) + refused.get("429", 0) <= 2 * 2 * 16, refused
    assert_same(tarn, undisturbed)


@pytest.mark.parametrize("rule", [
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}, "after": 15, "times": 4},
    {"kind": "status", "status": 500, "p": 0.2, "seed": 1, "times": 12},
    {"kind": "status", "status": 502, "body": "<html>Bad gateway</html>", "after": 3, "times": 6},
    {"kind": "cut", "p": 0.2, "seed": 2, "times": 8},
    {"kind": "drop", "p": 0.2, "seed": 3, "times": 8},
    # A broken answer is asked for again three times.
    {"kind": "garbage", "p": 0.1, "seed": 4, "times": 3},
    {"kind": "truncate_json", "p": 0.1, "seed": 5, "times": 3},
    {"kind": "delay", "ms": 400, "p": 0.2, "seed": 6, "times": 12},
], ids=["429", "500", "502", "cut", "drop", "garbage", "half of the JSON", "delay"])
def test_a_passing_fault_leaves_no_trace(tarn, source, undisturbed, rule):
    source.fault({"match": "^/(repos/octo/alpha|users)/", **rule})
    synced(tarn, source, env=PATIENT)
    assert source.server.control("GET", "faults")[0]["fired"] == rule["times"]
    assert_same(tarn, undisturbed)


# ---- refusals

def refused_run(tarn, source, *said):
    done = tarn.sync(source.server.url, repo=source.repo)
    assert done.returncode == 1, done.stdout
    for text in said:
        assert text in done.stderr
    return done


def test_a_missing_list_fails_the_run_and_says_which(tarn, source, undisturbed):
    source.fault({"match": "^/repos/octo/alpha/issues\\?", "kind": "status", "status": 404, "times": -1})
    refused_run(tarn, source, "404", "Collect Issues", "repos/octo/alpha/issues")
    source.heal()
    synced(tarn, source)
    assert_same(tarn, undisturbed)


def test_issues_that_are_switched_off_are_no_failure(tarn, source):
    source.fault({"match": "^/repos/octo/alpha/issues", "kind": "status", "status": 410, "times": -1})
    synced(tarn, source)
    rows = Rows(tarn)
    assert not rows["issues"] and not rows["_raw_github_api_comments"]
    assert rows["pull_requests"] and rows["cicd_pipelines"]


def test_issues_that_are_switched_on_again_arrive(tarn, source, undisturbed):
    source.fault({"match": "^/repos/octo/alpha/issues", "kind": "status", "status": 410, "times": -1})
    synced(tarn, source)
    source.heal()
    synced(tarn, source)
    assert_same(tarn, undisturbed)


@pytest.mark.parametrize("after", [3, 30, 70])
def test_a_token_that_ends_fails_the_run_and_the_next_goes_on(tarn, source, undisturbed, after):
    source.fault({"match": "^/(repos/octo/alpha|users)/", "kind": "status", "status": 401, "after": after, "times": -1,
                  "body": {"message": "Bad credentials"}})
    refused_run(tarn, source, "401", "Bad credentials", "$TEST_TOKEN")
    source.heal()
    synced(tarn, source)
    assert_same(tarn, undisturbed)


def test_a_failed_later_run_loses_no_change(program, settled, source, tmp_path):
    number = source.issues()[4]["number"]
    source.change("update_issue", number=number, title="While it fails")
    source.change("add_comment", number=number, body="Now?")
    source.fault({"match": "^/repos/octo/alpha/(issues|releases)", "kind": "status", "status": 500, "times": -1})
    refused_run(settled, source, "500")
    source.heal()
    synced(settled, source)
    assert_same(settled, fresh_rows(program, tmp_path, source))


# ---- items that are not what they should be

def put_aside(done):
    line = next((line for line in done.stdout.splitlines() if line.endswith(" rows were put aside")), "0")
    return int(line.split()[0])


def test_malformed_items_are_put_aside_and_healed(program, tarn, tmp_path):
    source = new_world(issues=260)
    spoiled = source.change("malformed", stream="issues", count=200, kind=KINDS)["ids"]
    done = synced(tarn, source)
    assert put_aside(done) == 200
    rejects = tarn.query("select raw_table, path, reason from _tarn_rejects")
    assert len(rejects) == 200
    assert {row["raw_table"] for row in rejects} == {"_raw_github_api_issues"}
    assert all(row["reason"] for row in rejects)
    assert {"number", "labels", "created_at"} <= {row["path"].strip("/").split("/")[-1] for row in rejects}
    held = {key[1] for key in Rows(tarn)["_tool_github_issues"]}
    source.change("malformed", stream="issues", count=0)
    assert held == {issue["id"] for issue in source.issues()} - set(spoiled)

    # Half of them become newer with the healing, so that the list tells them; a whole run brings the rest.
    healed = [issue["number"] for issue in source.issues() if issue["id"] in spoiled][::2]
    for number in healed:
        source.change("update_issue", number=number)
    synced(tarn, source)
    assert len(Rows(tarn)["_tool_github_issues"]) == len(held) + len(healed)
    done = synced(tarn, source, "--full")
    assert put_aside(done) == 0
    assert tarn.value("select count(*) from _tarn_rejects where raw_id in (select id from _raw_github_api_issues)") == 0
    assert_same(tarn, fresh_rows(program, tmp_path, source))


def test_a_reject_vanishes_with_its_item(tarn, source):
    source.change("malformed", stream="issues", count=3, kind="null_item")
    synced(tarn, source)
    source.change("malformed", stream="issues", count=0)
    synced(tarn, source, "--full")
    assert tarn.query("select * from _tarn_rejects") == []


def test_an_item_without_its_id_is_told(tarn, source):
    source.change("malformed", stream="issues", count=5, kind="no_id")
    assert put_aside(synced(tarn, source)) == 5


def test_an_item_that_becomes_malformed_keeps_its_last_good_rows(settled, source):
    before = Rows(settled)
    oldest = source.change("malformed", stream="issues", count=1, kind="bad_time")["ids"][0]
    key = (1, oldest)
    assert key in before["_tool_github_issues"]
    done = synced(settled, source, "--full")
    assert put_aside(done) == 1
    assert Rows(settled)["_tool_github_issues"][key] == before["_tool_github_issues"][key]


def test_ten_thousand_malformed_items_are_put_aside(tarn):
    source = new_world(issues=10_050, pulls=0, comments=0, review_comments=0, reviews=0, events=0, commits=0, milestones=0, runs=0,
                       deployments=0, releases=0)
    source.change("malformed", stream="issues", count=10_000, kind=KINDS)
    done = tarn.sync(source.server.url)
    assert done.returncode == 0, done.stderr
    assert put_aside(done) == 10_000
    assert tarn.value("select count(*) from issues") == 50


# ---- a full disk

@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        return subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)

    mounted = mount("-t", "tmpfs", "-o", "size=12m", "tmpfs")
    if mounted.returncode != 0:
        pytest.skip(f"mounting is not permitted here: {mounted.stderr.strip()}")
    yield folder, lambda size: mount("-o", f"remount,size={size}")
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("sizes", [{"issues": 60}, {"issues": 2000, "comments": 2000}], ids=["at once", "midway"])
def test_a_full_disk_is_told_and_more_space_is_enough(program, small_disk, tmp_path, sizes):
    folder, grow = small_disk
    source = new_world(**sizes)
    if "comments" not in sizes:
        (folder / "ballast").write_bytes(b"x" * (11_800 << 10))
    tarn = Tarn(program, folder / "home")
    done = tarn.sync(source.server.url)
    assert done.returncode == 1, done.stdout
    assert "disk" in done.stderr.lower() or "space" in done.stderr.lower(), done.stderr
    assert grow("1g").returncode == 0
    synced(tarn, source)
    assert_same(tarn, fresh_rows(program, tmp_path, source))
