"""What a connector's author uses: `tarn connector new`, `test`, `--record`, and folders of one's own in CONNECTORS_PATH."""

import json
import re
import shutil

import pytest

import helpdesk
from conftest import ROOT, Served

SAMPLE = ROOT / "templates" / "sample"
HELPDESK = ROOT / "tests" / "connectors" / "helpdesk"
OWN = sorted(path.parent.parent for path in ROOT.glob("connectors/*/tests/*/case.yaml"))


@pytest.fixture
def copy(tmp_path):
    """A copy of the helpdesk connector to be broken."""
    return shutil.copytree(HELPDESK, tmp_path / "mine" / "helpdesk")


@pytest.fixture
def case(copy):
    return copy / "tests" / "changes"


def change(file, old, new):
    text = file.read_text()
    assert old in text, (file, old)
    file.write_text(text.replace(old, new))


# ---- new

def test_a_new_connector_passes_check_and_its_first_test(tarn, tmp_path):
    made = tarn.run("connector", "new", "my_tracker", "--in", tmp_path / "mine")
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "mine" / "my_tracker"
    assert str(folder / "connector.yaml") in made.stdout
    check = tarn.run("connector", "check", folder)
    assert check.returncode == 0 and check.stdout.startswith("my_tracker: ok"), check.stderr
    done = tarn.run("connector", "test", folder)
    assert done.returncode == 0 and "1 passed, 0 failed" in done.stdout, done.stdout + done.stderr
    assert "sample" not in "".join(path.read_text().lower() for path in folder.rglob("*") if path.is_file())
    # It tests something: broken, it fails.
    change(folder / "convert" / "issues.sql", "'DONE'", "'OVER'")
    assert tarn.run("connector", "test", folder).returncode == 1


@pytest.mark.parametrize("name, said", [
    ("My-Tracker", "small letters"), ("1st", "small letters"), ("../up", "small letters"), ("github", "already"),
    ("github_graphql", "already"), ("there", "exists already"),
])
def test_names_that_cannot_be_are_refused(tarn, tmp_path, name, said):
    (tmp_path / "mine" / "there").mkdir(parents=True)
    done = tarn.run("connector", "new", name, "--in", tmp_path / "mine")
    assert done.returncode == 1
    assert said in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["there"]


# ---- test

@pytest.mark.parametrize("folder", [SAMPLE, HELPDESK, *dict.fromkeys(path.parent for path in OWN)], ids=lambda path: path.name)
def test_the_own_tests_of_our_connectors_pass(tarn, folder):
    done = tarn.run("connector", "test", folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_differences_are_told_by_key(tarn, copy, case):
    file = case / "rows" / "issues.csv"
    change(file, "Cannot pay", "Can pay")
    change(file, "helpdesk:HelpdeskTicket:1:T-2,", "helpdesk:HelpdeskTicket:1:T-9,")
    done = tarn.run("connector", "test", copy)
    assert done.returncode == 1
    assert done.stdout == f"""changes: FAILED
  {file}
    differs   id=helpdesk:HelpdeskTicket:1:T-1
      title: 'Cannot pay', expected 'Can pay'
    missing   id=helpdesk:HelpdeskTicket:1:T-9
    too many  id=helpdesk:HelpdeskTicket:1:T-2
0 passed, 1 failed
"""


def test_values_are_compared_by_their_meaning(tarn, copy, case):
    change(case / "rows" / "issues.csv", "2025-12-03 08:30:00", "2025-12-03T09:30:00+01:00")
    assert tarn.run("connector", "test", copy).returncode == 0
    # No value and an empty text are not the same.
    change(case / "rows" / "issues.csv", "TODO,NULL", "TODO,")
    done = tarn.run("connector", "test", copy)
    assert done.returncode == 1 and "resolution_date: NULL, expected ''" in done.stdout


@pytest.mark.parametrize("file, old, new, said", [
    ("answers/tickets-2.http", '"after": "c2"', '"after": "c9"', 'no answer for `POST tickets/search {"after":"c2"'),
    ("answers/tickets-2.http", '"after": "c2"', '"after": "c9"', "tickets-2.http (POST tickets/search"),
    ("answers/tickets-2.http", "POST tickets/search", "PUT tickets/search", "tickets-2.http:1: an answer starts with its request"),
    ("answers/queue.http", "GET queues/billing\n", "GET queues/billing {}\n", "queue.http:1:"),
    ("answers/replies-2.http", "HTTP 404", "HTTP lost", "replies-2.http:2: expected `HTTP`"),
    ("answers/replies-2.http", "HTTP 404", "no header", "replies-2.http:2: expected `HTTP 200`"),
    ("answers/replies-2.http", "HTTP 404", "HTTP 500", "answered 500"),
    ("answers/replies-2.http", "T-2", "T-1", "answers the same request as"),
    ("answers/tickets-1.http", '"tickets": [', '"tickets": [{"id": "T-0", "author": 5},', "put aside: _raw_helpdesk_tickets 1: author"),
    ("case.yaml", "fetch: yes", "fetsh: yes", "case.yaml:3: case.yaml: unknown key 'fetsh'; legal: about, connection, scope"),
    ("case.yaml", "fetch: yes\n", "", "queue.http: nobody asked for it"),
    ("case.yaml", "slug: billing", "slugg: billing", "unknown name 'slugg'; legal: scope_config_id, slug, name"),
    ("case.yaml", "slug: billing", "name: billing", "case.yaml: there is no value for {queue}. Name it in `scope`."),
    ("case.yaml", "incidentPattern", "pattern", "unknown name 'pattern'; legal: incidentPattern"),
    ("case.yaml", "outage", '"(outage"', "does not compile"),
    ("case.yaml", "runs: [{}, {}]", "runs: [{now: soon}, {}]", "case.yaml:5: expected a time"),
    ("case.yaml", "runs: [{}, {}]", "runs: {}", "case.yaml:5: runs must be a list"),
    ("case.yaml", "runs: [{}, {}]", "", "answers.2: is not used; legal here: case.yaml, answers, rows"),
    ("case.yaml", "runs: [{}, {}]", "runs: [{", "not YAML"),
    ("case.yaml", "runs: [{}, {}]", "runs: [{fails: no such queue}, {}]", "run 1 has to fail with 'no such queue', but it succeeds"),
    ("case.yaml", "fetch: yes", "fetch: yes\nconnection: {colour: red}", "colour"),
    ("case.yaml", "fetch: yes", "fetch: yes\nsubtasks: [Collect Nothing]", "there is no subtask 'Collect Nothing'"),
    ("rows/issues.csv", "id,issue_key", "idd,issue_key", "issues.csv:1: issues has no column 'idd'"),
    ("rows/issues.csv", "id,issue_key", "url,issue_key", "the key column 'id' is missing"),
    ("rows/issues.csv", "Cannot pay", '"Cannot pay', "not closed"),
])
def test_mistakes_in_a_test_are_told_with_their_place(tarn, copy, case, file, old, new, said):
    change(case / file, old, new)
    done = tarn.run("connector", "test", copy)
    assert done.returncode == 1
    assert said in done.stdout, done.stdout


def test_a_table_that_is_not_there_is_told(tarn, copy, case):
    (case / "rows" / "isues.csv").write_text("id\n")
    done = tarn.run("connector", "test", copy)
    assert done.returncode == 1 and "isues.csv: there is no table of this name" in done.stdout


def test_a_test_that_expects_nothing_fails(tarn, copy, case):
    shutil.rmtree(case / "rows")
    shutil.rmtree(case / "rows.2")
    done = tarn.run("connector", "test", copy)
    assert done.returncode == 1 and "there are no expected rows" in done.stdout and "--accept" in done.stdout


def test_accept_writes_what_is_found(tarn, copy, case):
    wanted = {path.name: path.read_text() for path in case.glob("rows*/*")}
    shutil.rmtree(case / "rows")
    for file in (case / "rows.2").iterdir():
        file.write_text(file.read_text().splitlines()[0] + "\n")
    done = tarn.run("connector", "test", copy, "--accept")
    assert done.returncode == 0, done.stdout
    assert {path.name: path.read_text() for path in case.glob("rows*/*")} == wanted
    assert tarn.run("connector", "test", copy).returncode == 0


def test_a_failure_can_be_expected(tarn, copy, case):
    (case / "answers" / "queue.http").write_text('GET queues/billing\nHTTP 401\n\n{"error": "who are you?"}\n')
    change(case / "case.yaml", "runs: [{}, {}]", "runs: [{fails: status 401}]")
    for folder in ("answers.2", "rows", "rows.2"):
        shutil.rmtree(case / folder)
    for file in (case / "answers").glob("[rt]*.http"):
        file.unlink()
    done = tarn.run("connector", "test", copy)
    assert done.returncode == 0, done.stdout


def test_only_some_tests_and_none(tarn, copy, case):
    shutil.copytree(case, case.parent / "other")
    assert "2 passed" in tarn.run("connector", "test", copy).stdout
    assert "1 passed" in tarn.run("connector", "test", copy, "other").stdout
    done = tarn.run("connector", "test", copy, "nothing")
    assert done.returncode == 1 and "there are: changes other" in done.stderr
    shutil.rmtree(case.parent)
    done = tarn.run("connector", "test", copy)
    assert done.returncode == 1 and "there are: none" in done.stderr


def test_a_broken_connector_is_not_tested(tarn, copy):
    change(copy / "connector.yaml", "    rows: /tickets\n", "    row: /tickets\n")
    done = tarn.run("connector", "test", copy)
    assert done.returncode == 1 and "unknown key 'row'" in done.stderr


def test_a_wrong_parents_select_is_told_with_its_stream(tarn, copy):
    change(copy / "connector.yaml", "select id as ticket_id", "select nothing as ticket_id")
    done = tarn.run("connector", "check", copy)
    assert done.returncode == 1
    assert re.search(re.escape(str(copy / "connector.yaml")) + r":\d+, replies.parents: .*nothing", done.stderr), done.stderr


# ---- record

@pytest.fixture
def source():
    with helpdesk.Helpdesk() as server:
        yield server


def record(tarn, folder, source, *arguments, **env):
    known = {"RECORD_ENDPOINT": source.url, "RECORD_USER": helpdesk.USER, "RECORD_API_KEY": helpdesk.KEY}
    return tarn.run("connector", "test", folder, "--record", "real", *arguments, env=known | env)


def test_a_recording_passes_and_holds_no_secret_and_no_person(tarn, copy, source):
    done = record(tarn, copy, source, "--scope", "slug=billing")
    assert done.returncode == 0, done.stdout + done.stderr
    asked = len(source.asked)
    assert asked == 7  # the queue, two pages of tickets, two of T-1's replies, one of the others'
    text = "".join(path.read_text() for path in (copy / "tests" / "real").rglob("*") if path.is_file())
    for hidden in (helpdesk.KEY, helpdesk.SECRET, "annika", "Annika", "Berg", "bsmith", "Smith", "bigcorp", "4711001", "4711002",
                   source.url, "127.0.0.1", "X-Trace", "x-trace"):
        assert hidden not in text, hidden
    # Played without the source.
    assert tarn.run("connector", "test", copy, "real").returncode == 0
    assert len(source.asked) == asked


def test_the_same_person_is_the_same_in_all_answers(tarn, copy, source):
    assert record(tarn, copy, source, "--scope", "slug=billing").returncode == 0
    answers = {path.stem: json.loads(path.read_text().split("\n\n", 1)[1]) for path in (copy / "tests/real/answers").iterdir()}
    tickets = {found["id"]: found for name, body in answers.items() if name.startswith("tickets-search") for found in body["tickets"]}
    replies = {found["id"]: found for name, body in answers.items() if name.startswith("tickets-T-1") for found in body}
    assert tickets["T-1"]["author"] == tickets["T-3"]["author"] == replies[2]["author"]
    assert tickets["T-2"]["author"] == replies[1]["author"] != tickets["T-1"]["author"]
    ann, ben = tickets["T-1"]["author"], tickets["T-2"]["author"]
    assert tickets["T-1"]["subject"] == "Please call " + ann["email"]
    assert tickets["T-3"]["subject"] == "For @" + ben["login"]
    assert replies[2]["text"] == "Thanks, " + ben["name"]
    assert tickets["T-3"]["api_token"] == "scrubbed" and replies[1]["text"] == "Use scrubbed until noon"
    assert set(ann) == set(helpdesk.ANN) and ann["id"] != ben["id"]
    # What says nothing about anybody stays.
    assert tickets["T-1"]["category"] == "outage" and tickets["T-1"]["opened"] == "2025-12-01T08:00:00Z"


@pytest.mark.parametrize("arguments, env, said", [
    (["--scope", "slug=billing"], {"RECORD_API_KEY": ""}, "not set: RECORD_API_KEY"),
    (["--scope", "slug=billing"], {"RECORD_API_KEY": "wrong"}, "401"),
    (["--scope", "slug=billing"], {"RECORD_ENDPOINT": "ftp://x"}, "endpoint"),
    (["--scope", "slug=nothing"], {}, "404"),
    (["--scope", "billing"], {}, "column=value"),
    (["--scope", "queue=billing"], {}, "unknown name 'queue'; legal: scope_config_id, slug, name"),
    ([], {}, "--scope: is needed"),
    (["--scope", "slug=billing", "--time-after", "soon"], {}, "--time-after"),
    (["--scope", "slug=billing", "--subtasks", "Collect Nothing"], {}, "Collect Nothing"),
])
def test_what_cannot_be_recorded_is_told_and_leaves_nothing(tarn, copy, source, arguments, env, said):
    done = record(tarn, copy, source, *arguments, **env)
    assert done.returncode == 1, done.stdout
    assert said in done.stderr and helpdesk.KEY not in done.stderr
    assert not (copy / "tests" / "real").exists()


def test_a_recording_does_not_replace_a_test(tarn, copy, source):
    done = tarn.run("connector", "test", copy, "--record", "changes", "--scope", "slug=billing",
                    env={"RECORD_ENDPOINT": source.url, "RECORD_API_KEY": helpdesk.KEY})
    assert done.returncode == 1 and "exists already" in done.stderr
    assert not source.asked
    assert tarn.run("connector", "test", copy, "--record", "../up", "--scope", "slug=x").returncode == 1


# ---- folders of one's own

def test_own_connectors_run_beside_the_shipped_ones(tarn, copy, source, tmp_path):
    made = tarn.run("connector", "new", "another", "--in", tmp_path / "more")
    assert made.returncode == 0, made.stderr
    env = {"CONNECTORS_PATH": f"{copy.parent}:{tmp_path / 'more'}:", "KEY": helpdesk.KEY}
    listed = tarn.run("connector", "list", env=env)
    assert listed.returncode == 0, listed.stderr
    assert re.findall(r"^(another|github|helpdesk) ", listed.stdout, re.MULTILINE) == ["github", "helpdesk", "another"]
    done = tarn.run("sync", "helpdesk", "--endpoint", source.url, "--user", helpdesk.USER, "--api-key-env", "KEY",
                    "--queue", "billing", env=env)
    assert done.returncode == 0, done.stderr
    assert tarn.value("select count(*) from issues where id like 'helpdesk:%'") == 3
    assert tarn.value("select count(*) from issue_comments") == 3


def test_a_server_offers_own_connectors_and_tells_of_broken_ones(tarn, copy, tmp_path):
    broken = shutil.copytree(HELPDESK, tmp_path / "mine" / "broken")
    change(broken / "connector.yaml", "    rows: /tickets\n", "    row: /tickets\n")
    tarn.environment["CONNECTORS_PATH"] = str(copy.parent)
    server = Served(tarn)
    try:
        body = {"name": "desk", "endpoint": "https://desk.example/", "user": "me", "apiKey": "key-1234567"}
        made = server.call("POST", "/plugins/helpdesk/connections", body)
        assert made.status_code == 201 and made.json()["apiKey"] == "", made.text
        problems = server.call("GET", "/health").json()["data"]["problems"]
    finally:
        _, log = server.stop()
    assert len(problems) == 1
    for said in (problems[0], log):
        assert re.search(r"broken/connector.yaml:\d+: stream 'tickets': unknown key 'row'; legal: subtask, raw", said), said


def test_a_broken_connector_is_left_out_and_the_others_run(tarn, copy, tmp_path):
    broken = tmp_path / "mine" / "broken"
    shutil.copytree(HELPDESK, broken)
    change(broken / "extract" / "tickets.sql", "r.j.subject", "r.j.subjekt")
    for file in broken.rglob("*.*"):
        if file.is_file():
            file.write_text(file.read_text().replace("helpdesk", "broken"))
    done = tarn.run("connector", "list", env={"CONNECTORS_PATH": str(copy.parent)})
    assert done.returncode == 1
    assert re.search(r"broken/extract/tickets.sql:\d+: .*subjekt", done.stderr), done.stderr
    assert "helpdesk" in done.stdout and "github" in done.stdout and "broken" not in done.stdout


def test_a_name_that_exists_already_is_refused(tarn, copy, tmp_path):
    other = shutil.copytree(HELPDESK, tmp_path / "other" / "helpdesk")
    (other / "tables.sql").write_text((other / "tables.sql").read_text() + "-- another one\n")
    fake = shutil.copytree(HELPDESK, tmp_path / "third" / "desk")
    change(fake / "connector.yaml", "name: helpdesk\n", "name: desk\naliases: [github_graphql]\n")
    done = tarn.run("connector", "list", env={"CONNECTORS_PATH": f"{copy.parent}:{other.parent}:{fake.parent}"})
    assert done.returncode == 1
    assert f"{other}/connector.yaml: the name 'helpdesk' is taken by the connector in {copy}" in done.stderr
    assert f"{fake}/connector.yaml: the name 'github_graphql' is taken by the connector in " in done.stderr
    assert len(re.findall("^helpdesk ", done.stdout, re.MULTILINE)) == 1


@pytest.mark.parametrize("path, said", [
    ("{}/nowhere", "there is no such folder"),
    ("{}/mine/helpdesk", "is a connector, not a folder of connectors. Name the folder above it."),
])
def test_a_wrong_path_is_told(tarn, copy, tmp_path, path, said):
    done = tarn.run("connector", "list", env={"CONNECTORS_PATH": path.format(tmp_path)})
    assert done.returncode == 1
    assert "CONNECTORS_PATH, " in done.stderr and said in done.stderr
    assert "github" in done.stdout


# ---- the guide

EVERY_BLOCK = """
name: broken
title: Broken
zzz: 1
connection:
  zzz: 1
  table: t
  fields: {a: {kind: text, zzz: 1}}
  auth: {A: {kind: bearer, token: a, zzz: 1}, B: {kind: zzz}}
  rate: {zzz: 1, secondary: {status: 403, zzz: 1}}
  test: {path: a, zzz: 1}
scope:
  zzz: 1
  table: t
  id: a
  params: {}
  options: {}
  fetch: {path: a, fields: {}, zzz: 1}
  remote: [{path: a, kind: scope, fields: {}, zzz: 1}]
scope_config: {table: t, fields: {b: {kind: zzz}}, zzz: 1}
subtasks: [Collect: zzz]
streams:
  s: {subtask: Collect, raw: _raw_s, path: a, item: {id: zzz}, zzz: 1, page: {kind: zzz, zzz: 1}, since: {zzz: 1}, window: {zzz: 1}, open: {zzz: 1}}
raw: {_raw_t: {item: {id: bigint}, zzz: 1}}
"""


def test_the_guide_names_all_that_is_legal(tarn, tmp_path):
    broken = tmp_path / "broken"
    (broken / "extract").mkdir(parents=True)
    (broken / "connector.yaml").write_text(EVERY_BLOCK)
    said = tarn.run("connector", "check", broken).stderr
    (broken / "connector.yaml").write_text("name: broken\ntitle: Broken\n")
    (broken / "extract" / "a.sql").write_text("-- zzz: 1\nselect 1\n")
    said += tarn.run("connector", "check", broken).stderr
    case = shutil.copytree(HELPDESK, tmp_path / "helpdesk") / "tests" / "changes" / "case.yaml"
    case.write_text("zzz: 1\nscope: {}\nruns: [{zzz: 1}]\n")
    said += tarn.run("connector", "test", tmp_path / "helpdesk").stdout
    lists = re.findall(r"(?i)legal(?: here)?: (.+)", said)
    assert len(lists) >= 20, said
    guide = (ROOT / "docs" / "connectors.md").read_text()
    missing = {word for line in lists for word in re.split(r"[, ]+", line.strip(". "))
               if word and not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", guide)}
    assert not missing


def test_the_examples_of_the_guide_are_right(tarn, tmp_path):
    """The guide's pieces of connector.yaml, put together, pass the check."""
    guide = (ROOT / "docs" / "connectors.md").read_text()
    blocks = ["\n".join(line[4:] for line in block.splitlines()) for block in re.findall(r"(?:(?:    .*|)\n)+", guide)]
    blocks = [block.strip("\n") for block in blocks]

    def piece(start):
        return next(block for block in blocks if block.startswith(start))

    folder = tmp_path / "mytracker"
    (folder / "extract").mkdir(parents=True)
    subtasks = piece("subtasks:").replace("Collect Commits: CODE off", "Collect Comments: TICKET")
    scope = piece("scope:").replace("  remote: …\n", "").removesuffix("  remote: …") + "\n  " + piece("remote:").replace("\n", "\n  ")
    (folder / "connector.yaml").write_text("\n".join(
        ["name: mytracker\ntitle: My Tracker", piece("connection:"), scope, piece("scope_config:"), subtasks, piece("streams:")]) + "\n")
    (folder / "tables.sql").write_text("""
create table _tool_mytracker_connections (id ubigint not null auto, name varchar(100), endpoint text, proxy text,
    rate_limit_per_hour bigint, token text secret, "user" text, password text secret, auth_method text, primary key (id)) times;
create table _tool_mytracker_projects (connection_id ubigint not null, id bigint not null, name varchar(255), url text,
    primary key (connection_id, id)) origin;
create table _tool_mytracker_scope_configs (id ubigint not null auto, entities json, connection_id ubigint, name varchar(255),
    issue_type_bug varchar(255), primary key (id)) times;
""" + piece("create table").replace("created_date datetime,", "created_date datetime, updated_date datetime,"))
    (folder / "extract" / "tasks.sql").write_text(piece("-- subtask:") + "\n")
    done = tarn.run("connector", "check", folder)
    assert done.returncode == 0, done.stderr + (folder / "connector.yaml").read_text()
