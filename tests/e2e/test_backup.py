"""`tarn backup` and `tarn restore`: a home moves between the three kinds without a difference, and what cannot be restored changes nothing."""

import resource
import shutil
import signal
import subprocess
import time

import pytest

import database_servers
import github
from conftest import SIZES, Served, Tarn
from rows import Rows, differences

KEY = "kept apart from the backup"
SECRET = "correct horse"
OWN = ((0.1, "a"), (1e-7, ""), (12345678.9, "\U0001F680"), (-2.5e10, "b\\c"), (1 / 3, "d"))  # a user's own columns


@pytest.fixture(scope="module")
def source():
    with github.start(**SIZES) as fake:
        yield fake


def home(program, folder, url=""):
    folder.parent.mkdir(parents=True, exist_ok=True)
    tarn = Tarn(program, folder)
    tarn.environment |= {"ENCRYPTION_SECRET": KEY, "DB_URL": url}
    return tarn


def done(tarn, *arguments, **options):
    ran = tarn.run(*arguments, **options)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran


def refused(tarn, *arguments, says, **options):
    ran = tarn.run(*arguments, **options)
    assert ran.returncode != 0 and says in ran.stderr, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def used(program, tmp_path_factory, source):
    """A synced home with a project, a blueprint, a webhook and columns of the user's own; a text beyond the BMP, an empty one and none."""
    tarn = home(program, tmp_path_factory.mktemp("used") / "home")
    done(tarn, "sync", "github", "--endpoint", source.url, "--token-env", "TEST_TOKEN", "--repo", "octo/alpha")
    server = Served(tarn)
    try:
        for path, body in (("/projects", {"name": "p \U0001F680", "description": "", "enable": True, "metrics": []}),
                           ("/plugins/webhook/connections", {"name": "hook"}),
                           ("/blueprints", {"name": "b", "mode": "NORMAL", "isManual": True, "enable": True, "connections": []})):
            answer = server.call("POST", path, body)
            assert answer.status_code in (200, 201), answer.text
        for column, kind in (("x_share", "float"), ("x_note", "varchar(255)")):
            answer = server.call("POST", "/plugins/customize/issues/fields", {"columnName": column, "displayName": column, "dataType": kind})
            assert answer.status_code == 200, answer.text
        text = "id,title,x_share,x_note\n" + "".join(f"own:{n},t,{share},{note}\n" for n, (share, note) in enumerate(OWN))
        answer = server.call("POST", "/plugins/customize/csvfiles/issues.csv", files={"file": ("x.csv", text.encode())},
                             data={"boardId": "own", "boardName": "Own"})
        assert answer.status_code == 200, answer.text
    finally:
        server.stop()
    done(tarn, "backup", tarn.home.parent / "a.backup")
    return tarn


@pytest.fixture(scope="module")
def backup(used):
    return used.home.parent / "a.backup"


def moved(tarn, other, file):
    done(tarn, "backup", file)
    done(other, "restore", file)
    return other


def frames(tarn, file):
    """What a backup of the home holds, without the times of its making: two homes with the same rows give the same totals."""
    out = done(tarn, "backup", file).stdout
    return out.split(": ")[1].split(" rows")[0]


def test_moves_between_all_stores(program, tmp_path, used, source):
    want = Rows(used)
    own = used.query("select x_share, x_note from issues where id like 'own:%' order by id")
    assert [row["x_share"] for row in own] == [share for share, _ in OWN]
    with database_servers.start("mysql") as maria, database_servers.start("postgres") as postgres:
        way = [used, home(program, tmp_path / "m" / "home", maria.make_database("lake")), home(program, tmp_path / "p" / "home", postgres.make_database("lake")),
               home(program, tmp_path / "e" / "home")]
        for number, (one, other) in enumerate(zip(way, way[1:])):
            moved(one, other, tmp_path / f"{number}.backup")
            # Not only alike: every column of every row, ids and times too.
            assert {name: rows for name, rows in Rows(other).items() if name.startswith("_raw_")} == \
                {name: rows for name, rows in want.items() if name.startswith("_raw_")}
            found = differences(Rows(other).comparable(), want.comparable())
            assert not found, "\n".join(found)
            assert frames(other, tmp_path / f"{number}.again") == frames(used, tmp_path / f"{number}.first")
            check = done(other, "key", "check").stdout
            assert "good" in check
            assert other.query("select x_share, x_note from issues where id like 'own:%' order by id") == own

        last = way[-1]
        server = Served(last)
        try:
            assert server.call("GET", "/projects/p%20%F0%9F%9A%80").json()["description"] == ""
            assert [one["name"] for one in server.call("GET", "/plugins/webhook/connections").json()] == ["hook"]
            old = [one["id"] for one in server.call("GET", "/blueprints").json()["blueprints"]]
            new = server.call("POST", "/blueprints", {"name": "c", "mode": "NORMAL", "isManual": True, "enable": True, "connections": []}).json()["id"]
            assert old and new > max(old)
        finally:
            server.stop()

        # Nothing is new: no row is written, and no more is asked than at home.
        before = Rows(last)
        source.control("DELETE", "requests")
        done(last, "sync", "github", "--endpoint", source.url, "--token-env", "TEST_TOKEN", "--repo", "octo/alpha")
        asked = source.control("GET", "requests?list=0")["counts"]
        assert not Rows(last).written_since(before)
        source.control("DELETE", "requests")
        done(used, "sync", "github", "--endpoint", source.url, "--token-env", "TEST_TOKEN", "--repo", "octo/alpha")
        assert asked == source.control("GET", "requests?list=0")["counts"]


def test_refuses_what_is_not_whole(program, tmp_path, backup):
    data = backup.read_bytes()
    bad = tmp_path / "bad.backup"
    other = home(program, tmp_path / "home")
    for damage, says in ((data[:len(data) // 2], "cut off"), (data[:-40], "cut off"), (data + b"x", "behind its end"), (b"x" + data, "no backup"),
                         (data[:5000] + bytes([data[5000] ^ 1]) + data[5001:], "damaged")):
        bad.write_bytes(damage)
        refused(other, "restore", bad, says=says)
        assert not (tmp_path / "home" / "control.sqlite").exists()
    refused(other, "restore", tmp_path, says="no backup here")


def test_refuses_a_key_that_does_not_fit(program, tmp_path, backup):
    other = home(program, tmp_path / "home")
    refused(other, "restore", backup, env={"ENCRYPTION_SECRET": "another"}, says="does not open the secrets in the backup")
    refused(other, "restore", backup, env={"ENCRYPTION_SECRET": ""}, says="there is no key")
    assert not (tmp_path / "home" / "control.sqlite").exists()


def test_refuses_a_home_with_rows_and_one_in_use(used, tmp_path, backup):
    before = Rows(used)
    refused(used, "restore", backup, says="not empty")
    assert not Rows(used).written_since(before)
    server = Served(used)
    try:
        refused(used, "backup", tmp_path / "b", says="in use")
    finally:
        server.stop()
    assert not (tmp_path / "b").exists()
    refused(used, "backup", backup, says="a file of this name")


def test_a_home_that_was_only_started_is_empty(program, tmp_path, used, backup):
    other = home(program, tmp_path / "home")
    Served(other).stop()
    done(other, "restore", backup)
    assert not differences(Rows(other).comparable(), Rows(used).comparable())


def test_encrypted(program, tmp_path, used):
    file = tmp_path / "sealed"
    (tmp_path / "pass").write_text(SECRET + "\n")
    refused(used, "backup", file, "--encrypt", says="no passphrase")
    done(used, "backup", file, "--passphrase-file", tmp_path / "pass")
    assert b"octo" not in file.read_bytes() and file.stat().st_mode & 0o077 == 0
    other = home(program, tmp_path / "home")
    refused(other, "restore", file, says="no passphrase is given")
    refused(other, "restore", file, env={"TARN_BACKUP_PASSPHRASE": "wrong"}, says="does not open the backup")
    assert not (tmp_path / "home" / "control.sqlite").exists()
    done(other, "restore", file, env={"TARN_BACKUP_PASSPHRASE": SECRET})
    assert not differences(Rows(other).comparable(), Rows(used).comparable())


def test_disk_full(used, tmp_path):
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))

    copy = tmp_path / "home"
    shutil.copytree(used.home, copy)
    ran = subprocess.run([used.program, "backup", str(tmp_path / "b"), "--home", str(copy)], env=used.environment, capture_output=True, text=True,
                         timeout=60, preexec_fn=small_files)
    assert ran.returncode == 1 and "error" in ran.stderr, ran.stderr
    assert not list(tmp_path.glob("b*"))


def test_killed_in_the_middle(program, tmp_path, used, backup):
    other = home(program, tmp_path / "home")
    process = other.start("restore", backup)
    control = other.home / "control.sqlite"
    while not (other.home / "data.duckdb").exists() and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert control.exists()
    refused(other, "serve", "--port", "0", says="restore was begun here")
    refused(other, "backup", tmp_path / "half", says="restore was begun here")
    done(other, "restore", backup)
    assert not differences(Rows(other).comparable(), Rows(used).comparable())
