"""An upgrade killed at a boundary of its statements and run again ends as one that nobody killed, and goes back to what was before.

ROUNDS: boundaries of each database, chosen at random (a fifth of it, at least 1); `ROUNDS=all`: every one of them. SEED repeats one choice.
OF: the old release that is killed on MariaDB. PART=2/5: the second fifth of the boundaries only.
"""

import os
import random
import shutil
import signal

import pytest

import end_states
import test_postgres
from database_dumps import differences, dump
from old_instances import RELEASES, Release, install, mariadb, postgres, program  # noqa: F401
from statement_proxy import StatementProxy

ROUNDS = os.environ.get("ROUNDS", "10")
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
OF = os.environ.get("OF", (RELEASES or ["none"])[0])


def chosen(count):
    """Numbers of statements in front of which the upgrade is killed; the last is behind all."""
    every = range(1, count + 1)
    part, parts = (int(number) for number in os.environ.get("PART", "1/1").split("/"))
    if ROUNDS == "all":
        return [number for number in every if number % parts == part - 1]
    return random.Random(SEED).sample(every, min(count, max(1, int(ROUNDS) // 5)))


@pytest.fixture(params=["mysql", "postgres"])
def instance(request, program, tmp_path):  # noqa: F811
    """An old database, and the key of its secrets."""
    if request.param == "postgres":
        return test_postgres.install(program, request.getfixturevalue("postgres"), tmp_path / "instance", "killed"), test_postgres.KEY
    if OF not in RELEASES:
        pytest.skip(f"no old database {OF}")
    release = Release(OF)
    return install(program, tmp_path / "instance", request.getfixturevalue("mariadb"), release, "killed"), release.key


def through(instance, proxy):
    """The environment with the proxy in place of the server."""
    return instance.env_file.read_text().replace(f":{instance.server.port}", f":{proxy.port}", 1)


def killed_at(instance, number):
    """Starts an upgrade that is killed in front of a statement; what it was."""
    direct = instance.env_file.read_text()
    with StatementProxy(instance.server) as proxy:
        instance.env_file.write_text(through(instance, proxy))
        process = instance.tarn.start("upgrade", "apply", "--yes")
        proxy.at(number, process.kill, delivered=False)
        output = process.communicate(timeout=120)
        instance.env_file.write_text(direct)
        assert process.returncode == -signal.SIGKILL, f"statement {number} was not reached: {output}"
        return f"SEED={SEED}, killed in front of statement {number}: {proxy.kinds[-1][:70]!r}"


def test_killed_at_boundaries(instance):
    instance, key = instance
    server, database = instance.server, instance.database
    before = dump(server, database)
    direct = instance.env_file.read_text()
    with StatementProxy(server) as proxy:
        instance.env_file.write_text(through(instance, proxy))
        instance.apply()
        instance.env_file.write_text(direct)
    after = dump(server, database)
    instance.rollback()
    assert not differences(before, dump(server, database))
    assert proxy.count > 50
    numbers = chosen(proxy.count)
    print(f"SEED={SEED}: {len(numbers)} of {proxy.count} boundaries")

    for number in numbers:
        shutil.rmtree(instance.tarn.home / "backups")
        what = killed_at(instance, number)
        print(what, flush=True)
        instance.apply()
        found = end_states.state_differences(after, dump(server, database), key)
        assert not found, f"{what}\n" + "\n".join(found)
        instance.rollback()
        found = differences(before, dump(server, database))
        assert not found, f"{what}, then rolled back\n" + "\n".join(found)
