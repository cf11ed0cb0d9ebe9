"""Killed at any moment, and the next run completes what was begun: the rows are those of runs that nobody disturbed.

ROUNDS sets how many rounds are played (50), SEED repeats one game; both are told when a round fails.
"""

import os
import random
import shutil
import subprocess
import time

from conftest import Tarn
from rows import TABLES, Rows, differences
from source import copy_of, fresh_rows, new_world, synced

ROUNDS = int(os.environ.get("ROUNDS", "50"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
MOST_KILLS = 4


def change_something(source, choice):
    """One to four changes of any kind; what they are, for the report."""
    issues, pulls = source.issues(), source.pulls()
    runs, comments = source.list("actions/runs"), source.list("issues/comments")
    pick = choice.choice
    kinds = [
        lambda: source.change("update_issue", number=pick(issues)["number"], title=f"Title {choice.random()}"),
        lambda: source.change("add_issue", title="One more", labels=["bug", "p0"], count=choice.randint(1, 30)),
        lambda: source.change("add_label", number=pick(issues)["number"], label="docs"),
        lambda: source.change("add_comment", number=pick(issues + pulls)["number"], body="Hm"),
        lambda: source.change("edit_comment", id=pick(comments)["id"], body=f"Edited {choice.random()}"),
        lambda: source.change("add_pull", title="A pull", body=f"fixes #{pick(issues)['number']}"),
        lambda: source.change("push_pull", number=pick(pulls)["number"], commits=choice.randint(1, 4)),
        lambda: source.change("add_review", number=pick(pulls)["number"]),
        lambda: source.change("merge_pull", number=pick([pull for pull in pulls if pull["state"] == "open"])["number"]),
        lambda: source.change("add_runs", n=choice.randint(1, 9), status=pick(("completed", "queued"))),
        lambda: source.change("complete_runs"),
        lambda: source.change("rerun", id=pick(runs)["id"]),
        lambda: source.change("add_deployment"),
        lambda: source.change("add_deployment_status", state=pick(("success", "failure"))),
        lambda: source.change("add_milestone", title=f"Later {choice.random()}"),
        lambda: source.change("add_release"),
    ]
    return [change()["op"] for change in choice.sample(kinds, choice.randint(1, 4))]


def killed(tarn, source, after):
    """Starts a run and kills it after so many seconds; whether it was still alive."""
    process = tarn.start("sync", "github", "--endpoint", source.server.url, "--token-env", "TEST_TOKEN", "--repo", source.repo)
    try:
        process.communicate(timeout=after)
        assert process.returncode == 0
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True


def seconds_of(run):
    began = time.monotonic()
    run()
    return time.monotonic() - began


def play(program, folder, choice, lengths):
    """One round; answers what happened, for the report, and the differences."""
    shutil.rmtree(folder, ignore_errors=True)
    first = choice.random() < 0.5
    undisturbed = copy_of(program, folder / "undisturbed" / "home")
    source = new_world()
    if first:
        tarn = Tarn(program, folder / "home")
        tarn.home.parent.mkdir(parents=True, exist_ok=True)
    else:
        tarn = copy_of(program, folder / "home")
    told = ["a first run" if first else "a later run"]
    changed = not first or choice.random() < 0.5
    if changed:
        told += change_something(source, choice)
    for _ in range(choice.randint(1, MOST_KILLS)):
        after = choice.uniform(0.02, lengths["first" if first else "later"])
        told.append(f"killed after {after:.3f} s" if killed(tarn, source, after) else f"ended before {after:.3f} s")
        if choice.random() < 0.25:
            told += change_something(source, choice)
            changed = True
    synced(tarn, source)
    if changed:
        synced(undisturbed, source)
    mine, other = Rows(tarn).comparable(), Rows(undisturbed).comparable()
    if differences(mine, other):
        # A commit that was pushed away meanwhile stays where a run has met it: shared rows are not deleted.
        there = fresh_rows(program, folder, source)
        mine, other = (only_shared_rows_of(there, rows) for rows in (mine, other))
    return told, differences(mine, other)


def only_shared_rows_of(there, rows):
    return {name: {key: row for key, row in found.items() if key in there[name]} if name in TABLES and TABLES[name].shared else found
            for name, found in rows.items()}


def test_a_killed_run_is_completed_by_the_next(program, tmp_path):
    choice = random.Random(SEED)
    home = copy_of(program, tmp_path / "measured" / "home")
    source = new_world()
    lengths = {"first": seconds_of(lambda: synced(Tarn(program, tmp_path / "first"), source))}
    change_something(source, random.Random(1))
    lengths["later"] = seconds_of(lambda: synced(home, source))
    kills = 0
    for number in range(ROUNDS):
        told, found = play(program, tmp_path / "round", choice, lengths)
        kills += sum(text.startswith("killed") for text in told)
        assert not found, f"SEED={SEED}, round {number}: {', '.join(told)}\n" + "\n".join(found)
    print(f"{ROUNDS} rounds, {kills} kills, {lengths}")
    assert kills >= ROUNDS / 2, "hardly a run was killed: the moments are too late"
