"""Homes whose truth is a database server: the rows of an embedded home, and an empty disk without loss.

The servers are started once for all tests, each test has a database of its own.
"""

import shutil

import pytest

import github
from conftest import SIZES, Tarn
from rows import TABLES, Rows, differences


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
    tarn.environment |= {"DB_URL": url, "ENCRYPTION_SECRET": "kept beside the database"}
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
    synced(tarn, source)
    assert_equal(tarn, embedded)
    assert counted(database, "same") == {name: len(embedded[name]) for name in TABLES}
