"""Two repositories that share people and commits: one row per key, whichever comes first, or both queued at once."""

import pytest

from conftest import Served, Tarn
from rows import RAW_TABLES, TABLES, Rows, differences
from source import Source, new_world, synced

REPOS = ("octo/alpha", "octo/beta")
# Commits are off unless asked for; they are what the repositories share.
SUBTASKS = ("Collect Commits", "Extract Commits", "Convert Commits")


@pytest.fixture
def sources():
    first = new_world(repos=",".join(REPOS), users=6, issues=20, pulls=6, comments=20, events=20, runs=8, commits=30)
    return [first, Source(first.server, REPOS[1])]


def quoted(columns):
    return ", ".join(f'"{column}"' for column in columns)


def assert_one_row_per_key(tarn):
    checks = [f"select '{name}' as name, count(*) as twice from (select 1 from {name} group by {quoted(key)} having count(*) > 1)"
              for name, key in [(table.name, table.key) for table in TABLES.values()] + [(name, ["id"]) for name in RAW_TABLES]]
    found = tarn.query(" union all ".join(checks))
    assert len(found) == len(TABLES) + len(RAW_TABLES)
    assert [row["name"] for row in found if row["twice"]] == []
    # The same item is not stored twice below one scope either.
    for name in RAW_TABLES:
        assert tarn.value(f"select count(*) - count(distinct (params, _tarn_item)) from {name}") == 0, name


def with_commits(tarn, source):
    synced(tarn, source)
    synced(tarn, source, "--subtasks", ",".join(SUBTASKS))


def without_order(tarn):
    """Without what tells the order of arrival: a shared commit has the address below the later repository."""
    rows = Rows(tarn).comparable()
    for row in rows["_tool_github_commits"].values():
        del row["url"]
    return rows


def test_one_after_the_other_in_any_order(program, tmp_path, sources):
    homes = []
    for order in (sources, sources[::-1]):
        tarn = Tarn(program, tmp_path / f"home{len(homes)}")
        for source in order:
            with_commits(tarn, source)
        assert_one_row_per_key(tarn)
        homes.append(without_order(tarn))
    shared = [{commit["sha"] for commit in source.list("commits")} for source in sources]
    assert shared[0] & shared[1]
    assert {key[0] for key in homes[0]["commits"]} >= shared[0] | shared[1]
    assert len({key[1] for key in homes[0]["_tool_github_repo_commits"]}) == 2
    assert len(homes[0]["issues"]) == sum(len(source.issues()) for source in sources)
    assert not differences(homes[1], homes[0])


def test_a_change_in_one_scope_leaves_the_other_alone(tarn, sources):
    alpha, beta = sources
    for source in sources:
        with_commits(tarn, source)
    before = Rows(tarn)
    beta.change("update_issue", number=beta.issues()[0]["number"], title="Only in beta")
    with_commits(tarn, beta)
    with_commits(tarn, alpha)
    for name, keys in Rows(tarn).written_since(before).items():
        for key in keys:
            row = before[name].get(key) or Rows(tarn)[name][key]
            assert "octo/beta" in row.get("_raw_data_params", row.get("params", "")), (name, key)
    assert_one_row_per_key(tarn)


def test_both_queued_at_once(program, tmp_path, sources):
    alone = Tarn(program, tmp_path / "alone")
    for source in sources:
        synced(alone, source)
    both = Tarn(program, tmp_path / "both")
    server = Served(both)
    try:
        connection = server.add_connection(sources[0].server.url)["id"]
        for source in sources:
            server.add_repo(connection, source.repo)
        tasks = [{"plugin": "github", "options": {"connectionId": connection, "name": source.repo}} for source in sources]
        # Each a pipeline of its own, and once more as one stage of one pipeline. (The server works them off one by one.)
        started = [server.call("POST", "/pipelines", {"name": "one", "plan": [[task]]}).json()["id"] for task in tasks]
        started.append(server.call("POST", "/pipelines", {"name": "stage", "plan": [tasks]}).json()["id"])
        for pipeline in started:
            ended = server.wait(pipeline)
            assert ended["status"] == "TASK_COMPLETED", ended
    finally:
        server.stop()
    assert_one_row_per_key(both)
    assert not differences(Rows(both).comparable(), Rows(alone).comparable())
