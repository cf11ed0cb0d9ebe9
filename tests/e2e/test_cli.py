"""The commands: sync, query, connector check, and what they say when something is wrong."""

import re
import shutil
import signal
import stat
import time

import pytest

from conftest import ROOT, SIZES, Served


def counts_of(stdout):
    """The summary's lines: table -> (added, changed, deleted)."""
    found = re.findall(r"^(\w+) +(\d+) +(\d+) +(\d+)$", stdout, re.MULTILINE)
    return {name: tuple(map(int, numbers)) for name, *numbers in found}


# ---- sync

def test_sync_brings_rows_from_the_source_to_the_domain(tarn, fake):
    done = tarn.sync(fake.url)
    assert done.returncode == 0, done.stderr
    assert counts_of(done.stdout)["issues"] == (SIZES["issues"], 0, 0)
    assert re.search(r"^\d+ requests, [\d.]+ s$", done.stdout, re.MULTILINE)
    assert "Collect Issues" in done.stderr
    assert tarn.value("select count(*) from issues") == SIZES["issues"]
    assert tarn.value("select count(*) from pull_requests") == SIZES["pulls"]
    assert tarn.value("select name from repos") == "octo/alpha"


def test_a_second_sync_changes_nothing(tarn, fake):
    assert tarn.sync(fake.url).returncode == 0
    done = tarn.sync(fake.url)
    assert done.returncode == 0, done.stderr
    assert "nothing has changed" in done.stdout
    assert tarn.value("select count(*) from _tool_github_connections") == 1


def test_a_change_at_the_source_arrives(tarn, fake):
    assert tarn.sync(fake.url).returncode == 0
    number = tarn.value("select min(number) from _tool_github_issues")
    fake.control("POST", "change", {"op": "update_issue", "number": number, "title": "another title"})
    done = tarn.sync(fake.url)
    assert done.returncode == 0, done.stderr
    assert counts_of(done.stdout)["issues"] == (0, 1, 0)
    assert tarn.value("select count(*) from issues where title = 'another title'") == 1


def test_only_some_subtasks(tarn, fake):
    done = tarn.sync(fake.url, "--subtasks", "Collect Milestones,Extract Milestones")
    assert done.returncode == 0, done.stderr
    assert set(counts_of(done.stdout)) == {"_raw_github_milestones", "_tool_github_milestones"}


def test_the_token_stands_nowhere_in_clear_text(tarn, fake):
    done = tarn.sync(fake.url, "--subtasks", "Collect Milestones")
    assert done.returncode == 0, done.stderr
    assert "test-token" not in done.stdout + done.stderr
    for file in tarn.home.iterdir():
        assert b"test-token" not in file.read_bytes(), file.name
    assert tarn.query("select * from _tool_github_connections")[0].get("token") is None


def test_the_key_is_made_once_and_kept_private(tarn, fake):
    assert tarn.sync(fake.url, "--subtasks", "Collect Milestones").returncode == 0
    env = tarn.home.parent / ".env"  # the working directory's
    first = env.read_text()
    assert re.fullmatch(r'ENCRYPTION_SECRET="[A-Z]{128}"\n', first)
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert tarn.sync(fake.url, "--subtasks", "Collect Milestones").returncode == 0
    assert env.read_text() == first


def test_another_key_is_told(tarn, fake):
    assert tarn.sync(fake.url, "--subtasks", "Collect Milestones").returncode == 0
    (tarn.home.parent / ".env").unlink()
    done = tarn.sync(fake.url, env={"ENCRYPTION_SECRET": "another"})
    assert done.returncode == 1
    assert "ENCRYPTION_SECRET" in done.stderr


# ---- mistakes

@pytest.mark.parametrize("arguments, said", [
    ([], "SUBCOMMAND"),
    (["no-such-command"], "no-such-command"),
    (["sync"], "Connectors: "),
    (["sync", "no-such-connector"], "there is no connector 'no-such-connector'"),
    (["sync", "github", "--no-such-flag"], "--no-such-flag"),
    (["sync", "github", "--token-env", "TEST_TOKEN"], "--repo is needed"),
    (["sync", "github", "--token-env", "NOT_SET", "--repo", "octo/alpha"], "NOT_SET"),
    (["sync", "github", "--token-env", "TEST_TOKEN", "--repo", "octo/alpha", "--time-after", "soon"], "--time-after"),
    (["query"], "sql"),
    (["query", "select 1", "--format", "xml"], "xml"),
    (["serve", "--port", "70000"], "70000"),
])
def test_wrong_usage_is_exit_code_2(tarn, arguments, said):
    done = tarn.run(*arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr + done.stdout


def test_the_help_of_a_connector_lists_its_flags(tarn):
    done = tarn.run("sync", "github", "--help")
    assert done.returncode == 0, done.stderr
    for flag in ("--repo", "--token-env", "--endpoint", "--full", "--subtasks", "--time-after"):
        assert flag in done.stdout


def test_an_unknown_subtask_is_told_with_the_known_ones(tarn, fake):
    done = tarn.sync(fake.url, "--subtasks", "Collect Everything")
    assert done.returncode == 1
    assert "Collect Everything" in done.stderr and "Collect Issues" in done.stderr


@pytest.mark.parametrize(("setting", "value"), [("MEMORY_LIMIT", "much"), ("TARN_LEASE_SECONDS", "30x"), ("TARN_LEASE_SECONDS", "0")])
def test_a_wrong_setting_is_told(tarn, fake, setting, value):
    done = tarn.sync(fake.url, env={setting: value})
    assert done.returncode == 1
    assert setting in done.stderr and value in done.stderr


def test_an_unreachable_endpoint_is_told(tarn):
    done = tarn.sync("http://127.0.0.1:9/")
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr


def test_a_wrong_token_is_told_by_the_name_of_its_variable(tarn, fake):
    done = tarn.sync(fake.url, env={"TEST_TOKEN": "not-a-token"})
    assert done.returncode == 1
    assert "401" in done.stderr and "$TEST_TOKEN" in done.stderr
    assert "not-a-token" not in done.stderr
    # A better one is enough: the connection is used again.
    assert tarn.sync(fake.url, "--subtasks", "Collect Milestones").returncode == 0


def test_an_unknown_repository_is_told(tarn, fake):
    done = tarn.sync(fake.url, repo="octo/missing")
    assert done.returncode == 1
    assert "404" in done.stderr and "repos/octo/missing" in done.stderr


def test_ctrl_c_cancels_and_the_next_sync_goes_on(tarn, fake):
    fake.control("POST", "faults", {"match": "/issues", "kind": "delay", "ms": 1500, "times": -1})
    process = tarn.start("sync", "github", "--endpoint", fake.url, "--token-env", "TEST_TOKEN", "--repo", "octo/alpha")
    while fake.control("GET", "requests")["total"] < 3:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 3, said
    assert "cancelled" in said
    fake.control("DELETE", "faults")
    assert tarn.sync(fake.url).returncode == 0
    assert tarn.value("select count(*) from issues") == SIZES["issues"]


# ---- one process a home

def test_a_second_process_is_told_who_holds_the_home(tarn, fake):
    server = Served(tarn)
    try:
        done = tarn.sync(fake.url)
        assert done.returncode == 1
        assert f"process {server.process.pid}" in done.stderr and server.url in done.stderr
        # A query does not need the files: the server answers it.
        assert tarn.value("select 41 + 1") == 42
        done = tarn.run("query", "select * from no_such_table")
        assert done.returncode == 1
        assert "no_such_table" in done.stderr
    finally:
        server.stop()
    assert tarn.value("select 41 + 1") == 42


# ---- query

def test_query_formats(tarn, fake):
    assert tarn.sync(fake.url, "--subtasks", "Collect Milestones").returncode == 0
    sql = "select * from (values (1, 'a,\"b\"', null), (2, '', true)) t(n, s, b) order by n desc"
    assert tarn.run("query", sql, "--format", "csv").stdout == 'n,s,b\n2,"",true\n1,"a,""b""",\n'
    assert tarn.query(sql) == [{"n": 2, "s": "", "b": True}, {"n": 1, "s": 'a,"b"', "b": None}]
    assert tarn.run("query", sql).stdout == 'n  s      b\n2         true\n1  a,"b"\n(2 rows)\n'


@pytest.mark.parametrize("sql, said", [
    ("drop table issues", "read-only"),
    ("update issues set title = ''", "read-only"),
    ("select 1; select 2", "one statement"),
    ("selec 1", "selec"),
    ("", "no statement"),
    ("select * from read_text('/etc/hostname')", "disabled"),
    ("copy issues to 'file.csv'", "disabled"),
])
def test_query_only_reads(tarn, fake, sql, said):
    assert tarn.sync(fake.url, "--subtasks", "Collect Milestones").returncode == 0
    done = tarn.run("query", sql)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_query_without_data_is_told_and_makes_nothing(tarn):
    done = tarn.run("query", "select 1")
    assert done.returncode == 1
    assert str(tarn.home) in done.stderr
    assert not tarn.home.exists()


# ---- connectors

@pytest.fixture
def copy(tmp_path):
    """A copy of a connector to be broken."""
    return shutil.copytree(ROOT / "connectors" / "github", tmp_path / "connectors" / "github")


def line_of(file, text):
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line)


def test_connector_check_finds_nothing_wrong(tarn, copy):
    done = tarn.run("connector", "check", copy)
    assert done.returncode == 0, done.stderr
    assert re.match(r"github: ok, \d+ streams, \d+ models, \d+ tables\n", done.stdout)


def test_connector_check_shows_an_unknown_key(tarn, copy):
    file = copy / "connector.yaml"
    file.write_text(file.read_text().replace("    subtask: Collect Issues\n", "    subtask: Collect Issues\n    colour: red\n"))
    done = tarn.run("connector", "check", copy)
    assert done.returncode == 1
    assert f"{file}:{line_of(file, 'colour')}" in done.stderr
    assert "colour" in done.stderr and "legal" in done.stderr


def test_connector_check_shows_wrong_sql(tarn, copy):
    file = copy / "extract" / "milestones.sql"
    text = file.read_text()
    file.write_text(re.sub(r"^select ", "select r.j.no_such_field as wrong, ", text, count=1, flags=re.MULTILINE))
    assert "no_such_field" in file.read_text()
    done = tarn.run("connector", "check", copy)
    assert done.returncode == 1
    assert re.search(re.escape(str(file)) + r":\d+", done.stderr), done.stderr


def test_connector_check_shows_all_mistakes_at_once(tarn, copy):
    file = copy / "connector.yaml"
    text = file.read_text().replace("    subtask: Collect Issues\n", "    subtask: Collect Issues\n    colour: red\n")
    file.write_text(text.replace("    subtask: Collect Milestones\n", "    subtask: Collect Milestones\n    shape: round\n"))
    done = tarn.run("connector", "check", copy)
    assert done.returncode == 1
    assert "colour" in done.stderr and "shape" in done.stderr


def test_connector_check_of_a_missing_folder(tarn, tmp_path):
    done = tarn.run("connector", "check", tmp_path / "nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr


def test_connector_list(tarn):
    done = tarn.run("connector", "list")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^github +GitHub ", done.stdout, re.MULTILINE)


def test_a_broken_connector_is_left_out_and_told(tarn, copy):
    broken = copy.rename(copy.parent / "broken")
    (broken / "connector.yaml").write_text("name: broken\ncolour: red\n")
    done = tarn.run("connector", "list", env={"CONNECTORS_PATH": str(broken.parent)})
    assert done.returncode == 1
    assert "github" in done.stdout and "broken" in done.stderr


def test_version(tarn):
    assert re.fullmatch(r"tarn \d+\.\d+\.\d+\n", tarn.run("version").stdout)
