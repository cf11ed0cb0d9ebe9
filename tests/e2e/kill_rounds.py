"""Rounds of runs that are killed at random moments, for any source.

ROUNDS sets how many rounds are played (50), SEED repeats one game; both are told when a round fails. A game has
`arguments(source)` of `tarn`, `new_world()`, `copy_of(folder)` (a settled home), `change(source, choice)` (a list of what it did),
`synced(tarn, source)`, `home(folder)` (an empty one) and `rows(tarn)` (comparable).
"""

import os
import random
import shutil
import subprocess
import time

ROUNDS = int(os.environ.get("ROUNDS", "50"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
MOST_KILLS = 4


def killed(tarn, arguments, after):
    """Starts a run and kills it after so many seconds; whether it was still alive."""
    process = tarn.start(*arguments)
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


def measured(game, folder):
    """How long a first and a later run take when nobody disturbs them."""
    home = game.copy_of(folder / "measured" / "home")
    source = game.new_world()
    lengths = {"first": seconds_of(lambda: game.synced(game.home(folder / "first"), source))}
    game.change(source, random.Random(1))
    lengths["later"] = seconds_of(lambda: game.synced(home, source))
    return lengths


def play(game, folder, choice, lengths):
    """One round: what happened, for the report, the source, and the rows of the killed and of the undisturbed home."""
    shutil.rmtree(folder, ignore_errors=True)
    first = choice.random() < 0.5
    undisturbed = game.copy_of(folder / "undisturbed" / "home")
    source = game.new_world()
    tarn = game.home(folder / "home") if first else game.copy_of(folder / "home")
    told = ["a first run" if first else "a later run"]
    changed = not first or choice.random() < 0.5
    if changed:
        told += game.change(source, choice)
    for _ in range(choice.randint(1, MOST_KILLS)):
        after = choice.uniform(0.02, lengths["first" if first else "later"])
        told.append(f"killed after {after:.3f} s" if killed(tarn, game.arguments(source), after) else f"ended before {after:.3f} s")
        if choice.random() < 0.25:
            told += game.change(source, choice)
            changed = True
    game.synced(tarn, source)
    if changed:
        game.synced(undisturbed, source)
    return told, source, game.rows(tarn), game.rows(undisturbed)


def play_all(game, folder, differences):
    """ROUNDS rounds; `differences(source, mine, other)` lists what is wrong."""
    choice = random.Random(SEED)
    lengths = measured(game, folder)
    kills = 0
    for number in range(ROUNDS):
        told, source, mine, other = play(game, folder / "round", choice, lengths)
        kills += sum(text.startswith("killed") for text in told)
        found = differences(source, mine, other)
        assert not found, f"SEED={SEED}, round {number}: {', '.join(told)}\n" + "\n".join(found)
    print(f"SEED={SEED}: {ROUNDS} rounds, {kills} kills, {lengths}")
    assert kills >= ROUNDS / 2, f"SEED={SEED}: hardly a run was killed: the moments are too late"
