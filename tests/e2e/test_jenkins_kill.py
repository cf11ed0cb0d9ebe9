"""Jenkins: killed at any moment, and the next run completes what was begun. ROUNDS and SEED as in kill_rounds.py."""

import random
import shutil
import time

from conftest import Tarn
from jenkins_source import APP, BRANCHES, PLAIN, SITE, TOP, ALL, comparable, copy_of, new_world, synced
from kill_rounds import MOST_KILLS, ROUNDS, SEED, killed
from table_rows import differences


def change_something(source, choice):
    """One to four changes of any kind; what they are, for the report."""
    pick = choice.choice
    jobs = (*BRANCHES, APP, PLAIN, TOP)
    unfinished = [(job, build["number"]) for job in jobs for build in source.builds(job) if build["building"]]
    kinds = [
        lambda: source.change("build", job=pick(jobs), count=choice.randint(1, 5)),
        lambda: source.change("build", job=pick(jobs), count=choice.randint(100, 130)),
        lambda: source.change("build", job=pick(jobs), result=None),
        lambda: source.change("add_job", job=f"{SITE}/branch {choice.randrange(1 << 30)}", builds=choice.randint(0, 9)),
        lambda: source.change("describe", job=pick(BRANCHES), text=f"Text {choice.random()}"),
    ]
    if unfinished:
        job, number = pick(unfinished)
        kinds.append(lambda: source.change("finish", job=job, number=number, result=pick(("SUCCESS", "FAILURE"))))
    return [change()["op"] for change in choice.sample(kinds, choice.randint(1, 4))]


def arguments(source, job):
    return ("sync", "jenkins", "--endpoint", source.server.url, "--username", "ci", "--password-env", "TEST_TOKEN", "--job", job)


def play(program, folder, choice, length):
    """One round; answers what happened, for the report, and the differences."""
    shutil.rmtree(folder, ignore_errors=True)
    first = choice.random() < 0.5
    undisturbed = copy_of(program, folder / "undisturbed" / "home")
    source = new_world()
    tarn = Tarn(program, folder / "home")
    if first:
        folder.mkdir(parents=True, exist_ok=True)
    else:
        tarn = copy_of(program, folder / "home")
    told = ["a first run" if first else "a later run", *change_something(source, choice)]
    for _ in range(choice.randint(1, MOST_KILLS)):
        after, job = choice.uniform(0.02, length), choice.choice(ALL)
        told.append(f"{job} killed after {after:.3f} s" if killed(tarn, arguments(source, job), after) else f"{job} ended before {after:.3f} s")
        if choice.random() < 0.25:
            told += change_something(source, choice)
    for home in (tarn, undisturbed):
        for job in ALL:
            synced(home, source, job)
    return told, differences(comparable(tarn), comparable(undisturbed))


def test_a_killed_run_is_completed_by_the_next(program, tmp_path):
    choice = random.Random(SEED)
    began = time.monotonic()
    synced(Tarn(program, tmp_path / "first"), new_world(), SITE)
    length, kills = time.monotonic() - began, 0
    for number in range(ROUNDS):
        told, found = play(program, tmp_path / "round", choice, length)
        kills += sum(" killed " in text for text in told)
        assert not found, f"SEED={SEED}, round {number}: {', '.join(told)}\n" + "\n".join(found)
    print(f"{ROUNDS} rounds, {kills} kills, SEED={SEED}, up to {length:.2f} s")
    assert kills >= ROUNDS / 2, "hardly a run was killed: the moments are too late"
