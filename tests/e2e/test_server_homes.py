"""Homes whose truth is a database server: the rows of an embedded home, an empty disk without loss, kills, and what is refused.

The servers are started once for all tests, each test has a database of its own.
"""

import shutil
import signal
import time

import pytest

import database_servers
import github
from conftest import SIZES, Served, Tarn
from rows import TABLES, Rows, differences


@pytest.fixture(scope="module", params=database_servers.ENGINES)
def database(request):
    with database_servers.start(request.param) as server:
        yield server


@pytest.fixture(scope="module")
def source():
    with github.start(**SIZES) as fake:
        yield fake


@pytest.fixture(scope="module")
def embedded(program, tmp_path_factory, source):
    tarn = Tarn(program, tmp_path_factory.mktemp("embedded") / "home")
    assert tarn.sync(source.url).returncode == 0
    return Rows(tarn).comparable()


def home(program, folder, url):
    folder.parent.mkdir(parents=True, exist_ok=True)
    tarn = Tarn(program, folder)
    tarn.environment["DB_URL"] = url
    return tarn


def synced(tarn, source):
    done = tarn.sync(source.url)
    assert done.returncode == 0, done.stderr


def assert_equal(tarn, want):
    found = differences(Rows(tarn).comparable(), want)
    assert not found, "\n".join(found)


def counted(database, name):
    """table -> rows, of the server."""
    selects = [f"select '{table}', count(*) from {table}" for table in TABLES]
    return {table: int(rows) for table, rows in database.rows(name, " union all ".join(selects))}


def test_same_rows_as_an_embedded_home(program, tmp_path, database, source, embedded):
    tarn = home(program, tmp_path / "home", database.make_database("same"))
    synced(tarn, source)
    assert_equal(tarn, embedded)
    assert counted(database, "same") == {name: len(embedded[name]) for name in TABLES}
    assert not (tmp_path / "home" / "control.sqlite").exists()

    # Nothing is new: no row is written.
    stamps = database.rows("same", "select * from _tarn_parts where table_name not like '\\_tarn\\_%' and table_name <> '' order by 1, 2")
    synced(tarn, source)
    assert database.rows("same", "select * from _tarn_parts where table_name not like '\\_tarn\\_%' and table_name <> '' order by 1, 2") == stamps

    # An empty disk costs a reload.
    shutil.rmtree(tmp_path / "home")
    tarn.environment["ENCRYPTION_SECRET"] = "does not matter here"
    synced(tarn, source)
    assert_equal(tarn, embedded)
    assert counted(database, "same") == {name: len(embedded[name]) for name in TABLES}


def test_killed_runs_are_completed(program, tmp_path, database, source, embedded):
    tarn = home(program, tmp_path / "home", database.make_database("killed"))
    for after in (1.2, 1.7, 2.2):
        process = tarn.start("sync", "github", "--endpoint", source.url, "--token-env", "TEST_TOKEN", "--repo", "octo/alpha")
        time.sleep(after)
        process.kill()
        process.communicate()
    shutil.rmtree(tmp_path / "home")
    tarn.environment["ENCRYPTION_SECRET"] = "does not matter here"
    synced(tarn, source)
    assert_equal(tarn, embedded)
    assert counted(database, "killed") == {name: len(embedded[name]) for name in TABLES}


def test_server_that_goes_and_comes(program, tmp_path, database, source, embedded):
    tarn = home(program, tmp_path / "home", database.make_database("gone"))
    synced(tarn, source)
    served = Served(tarn)
    try:
        database.kill()
        assert served.call("GET", "/plugins/github/connections").status_code == 500
        database.start()
        answer = served.call("GET", "/plugins/github/connections")
        assert answer.status_code == 200, answer.text
        assert len(answer.json()) == 1
    finally:
        if database.process.poll() is not None:
            database.start()
        served.stop(signal.SIGTERM)
    assert_equal(tarn, embedded)


@pytest.mark.parametrize(("change", "told"), [
    (lambda url: url.replace("merico:merico", "merico:wrong"), "Check user"),
    (lambda url: url + "_nowhere", "Make the database first, or correct its name in DB_URL"),
    (lambda url: url.replace("mysql://", "oracle://").replace("postgres://", "oracle://"), "is neither mysql nor postgres"),
    (lambda url: url.replace("127.0.0.1", "127.0.0.1:1,").split(",")[0] + "/lake", "Check that the database server runs"),
])
def test_wrong_url_is_told(program, tmp_path, database, change, told):
    tarn = home(program, tmp_path / "home", change(database.url("postgres" if database.engine == "postgres" else "mysql")))
    done = tarn.run("serve", "--port", "0", timeout=60)
    assert done.returncode != 0
    assert told in done.stderr
    assert "wrong" not in done.stderr.replace("wrong user", "")


def test_no_privileges_are_told(program, tmp_path, database):
    url = database.make_database("bare")
    if database.engine == "mysql":
        database.admin("create user 'poor'@'%' identified by 'hush'; grant select on bare.* to 'poor'@'%'")
    else:
        database.admin("create user poor password 'hush'")
    tarn = home(program, tmp_path / "home", url.replace("merico:merico", "poor:hush"))
    done = tarn.run("serve", "--port", "0", timeout=60)
    assert done.returncode != 0
    assert "Grant the user all rights" in done.stderr
    assert "hush" not in done.stderr


def test_read_only_server_is_told(program, tmp_path, database):
    url = database.make_database("fixed")
    if database.engine == "mysql":
        database.admin("create user 'plain'@'%' identified by 'hush'; grant all on fixed.* to 'plain'@'%'; set global read_only = 1")
        url = url.replace("merico:merico", "plain:hush")
    else:
        database.admin("alter database fixed set default_transaction_read_only = on")
    try:
        done = home(program, tmp_path / "home", url).run("serve", "--port", "0", timeout=60)
    finally:
        if database.engine == "mysql":
            database.admin("set global read_only = 0")
    assert done.returncode != 0
    assert "Name a server in DB_URL that can be written" in done.stderr


def test_wrong_character_set(program, tmp_path, database):
    """MySQL's tables get their own; a database of PostgreSQL has one for all."""
    if database.engine == "mysql":
        tarn = home(program, tmp_path / "home", database.make_database("latin", "character set latin1"))
        with_server = Served(tarn)
        try:
            made = with_server.add_connection("https://api.example.test/", name="Grüße 😀")
            assert with_server.call("GET", f"/plugins/github/connections/{made['id']}").json()["name"] == "Grüße 😀"
        finally:
            with_server.stop()
    else:
        url = database.make_database("latin", "template template0 encoding 'LATIN1' locale 'C'")
        done = home(program, tmp_path / "home", url).run("serve", "--port", "0", timeout=60)
        assert done.returncode != 0
        assert "encoding is LATIN1" in done.stderr
        assert "Make the database anew with encoding UTF8" in done.stderr
